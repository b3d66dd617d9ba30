package main

import (
	"fmt"
	"net"
	"strconv"
	"time"
)

type settings struct {
	version    string
	pod        string
	address    string
	errorRate  float64       // share of requests answered with 500, 0 to 1
	latency    time.Duration // added to every request
	startDelay time.Duration // before the port is opened
	drain      time.Duration // between SIGTERM and closing
	crashAfter time.Duration // negative: never
	neverReady bool
}

// readSettings refuses what it does not understand, so that a misspelt test fails at once.
func readSettings(env func(string) string) (settings, error) {
	r := reader{env: env}
	s := settings{
		version:    r.text("VERSION", "unknown"),
		pod:        r.text("POD_NAME", "unknown"),
		address:    net.JoinHostPort(r.text("POD_IP", ""), r.text("PORT", "8080")),
		errorRate:  r.number("ERROR_RATE", 0),
		latency:    r.duration("LATENCY_MS", time.Millisecond, 0),
		startDelay: r.duration("START_DELAY", time.Second, 0),
		drain:      r.duration("DRAIN_SECONDS", time.Second, 2),
		crashAfter: r.duration("CRASH_AFTER", time.Second, -1),
	}
	switch ready := r.text("READY", ""); ready {
	case "", "always":
	case "never":
		s.neverReady = true
	default:
		return s, fmt.Errorf("READY is %q: it can be never or always", ready)
	}
	return s, r.err
}

type reader struct {
	env func(string) string
	err error
}

func (r *reader) text(name, otherwise string) string {
	if value := r.env(name); value != "" {
		return value
	}
	return otherwise
}

func (r *reader) number(name string, otherwise float64) float64 {
	text := r.env(name)
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil {
		r.err = fmt.Errorf("%s is %q, not a number", name, text)
	}
	return value
}

func (r *reader) duration(name string, unit time.Duration, otherwise float64) time.Duration {
	return time.Duration(r.number(name, otherwise) * float64(unit))
}
