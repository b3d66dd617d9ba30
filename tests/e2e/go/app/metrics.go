package main

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"
)

// Upper bounds in seconds; the defaults of the Prometheus client libraries.
var bounds = []float64{0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10}

type labels struct {
	status int
	method string
}

type series struct {
	total   uint64
	seconds float64
	buckets []uint64 // cumulative, one for each bound
}

// metrics counts requests; both statuses exist from the start, as Prometheus recommends for known labels.
type metrics struct {
	mutex  sync.Mutex
	series map[labels]*series
}

func newMetrics() *metrics {
	m := &metrics{series: map[labels]*series{}}
	for _, status := range []int{http.StatusOK, http.StatusInternalServerError} {
		m.at(labels{status, http.MethodGet})
	}
	return m
}

func (m *metrics) at(l labels) *series {
	s, known := m.series[l]
	if !known {
		s = &series{buckets: make([]uint64, len(bounds))}
		m.series[l] = s
	}
	return s
}

func (m *metrics) observe(status int, method string, took time.Duration) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	s := m.at(labels{status, method})
	s.total++
	s.seconds += took.Seconds()
	for i, bound := range bounds {
		if took.Seconds() <= bound {
			s.buckets[i]++
		}
	}
}

func (m *metrics) write(w io.Writer) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	keys := make([]labels, 0, len(m.series))
	for l := range m.series {
		keys = append(keys, l)
	}
	slices.SortFunc(keys, func(a, b labels) int { return a.status - b.status })
	fmt.Fprintln(w, "# TYPE http_requests_total counter")
	for _, l := range keys {
		fmt.Fprintf(w, "http_requests_total{status=\"%d\",method=%q} %d\n", l.status, l.method, m.series[l].total)
	}
	const name = "http_request_duration_seconds"
	fmt.Fprintf(w, "# TYPE %s histogram\n", name)
	for _, l := range keys {
		s, text := m.series[l], fmt.Sprintf("status=\"%d\",method=%q", l.status, l.method)
		for i, bound := range bounds {
			fmt.Fprintf(w, "%s_bucket{%s,le=\"%s\"} %d\n", name, text, strconv.FormatFloat(bound, 'g', -1, 64), s.buckets[i])
		}
		fmt.Fprintf(w, "%s_bucket{%s,le=\"+Inf\"} %d\n", name, text, s.total)
		fmt.Fprintf(w, "%s_sum{%s} %g\n%s_count{%s} %d\n", name, text, s.seconds, name, text, s.total)
	}
}
