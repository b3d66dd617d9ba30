// Command app is the workload of the end-to-end tests: a server whose version, errors, latency and life
// cycle are decided by its environment (settings.go), and which measures itself (metrics.go).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	settings, err := readSettings(os.Getenv)
	if err != nil {
		log.Fatal(err)
	}
	if err := serve(settings); err != nil {
		log.Fatal(err)
	}
}

// serve answers until SIGTERM, then for DRAIN_SECONDS more, then closes idle connections and waits for the others.
func serve(s settings) error {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	time.Sleep(s.startDelay)
	if s.crashAfter >= 0 {
		time.AfterFunc(s.crashAfter, func() { log.Fatalf("version %s ends after %s, as asked", s.version, s.crashAfter) })
	}
	listener, err := net.Listen("tcp", s.address)
	if err != nil {
		return err
	}
	server := &http.Server{Handler: handler(s), ReadHeaderTimeout: 10 * time.Second}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	log.Printf("version %s of pod %s serves on %s", s.version, s.pod, s.address)
	select {
	case err := <-served:
		return err
	case received := <-stop:
		log.Printf("%s: serving for another %s", received, s.drain)
	}
	// The endpoint is still being taken out of the proxies: they may send new requests until then.
	time.Sleep(s.drain)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := server.Shutdown(ctx); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	log.Print("closed")
	return nil
}

func handler(s settings) http.Handler {
	measured := newMetrics()
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) {
		if s.neverReady {
			http.Error(w, "never ready, as asked", http.StatusServiceUnavailable)
			return
		}
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("/metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		measured.write(w)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		time.Sleep(s.latency)
		status := http.StatusOK
		if rand.Float64() < s.errorRate {
			status = http.StatusInternalServerError
		}
		// Before the answer: whoever has read it finds it counted.
		measured.observe(status, r.Method, time.Since(began))
		answer(w, s, status)
	})
	return mux
}

func answer(w http.ResponseWriter, s settings, status int) {
	body, err := json.Marshal(map[string]string{"version": s.version, "pod": s.pod})
	if err != nil {
		panic(err) // two strings can always be encoded
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Version", s.version)
	w.Header().Set("X-Pod", s.pod)
	w.WriteHeader(status)
	if _, err := w.Write(append(body, '\n')); err != nil {
		log.Printf("answer not sent: %v", err)
	}
}
