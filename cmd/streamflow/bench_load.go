package main

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"time"

	"github.com/streamflow/streamflow/internal/term"
)

// loadResult is what bench produce and bench consume print with --output json.
type loadResult struct {
	Bench      string       `json:"bench"`
	Topic      string       `json:"topic"`
	Records    int64        `json:"records"`
	Bytes      int64        `json:"bytes"` // of keys and values
	Seconds    float64      `json:"seconds"`
	RecordRate float64      `json:"records_per_s"`
	Megabytes  float64      `json:"mb_per_s"`
	Producers  int          `json:"producers,omitempty"`
	Consumers  int          `json:"consumers,omitempty"`
	Rate       float64      `json:"rate,omitempty"` // what was asked for
	Latency    *loadLatency `json:"latency_ms,omitempty"`
}

// loadLatency is in milliseconds.
type loadLatency struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p999"`
	Max  float64 `json:"max"`
}

func latencyOf(h *histogram) *loadLatency {
	if h.count() == 0 {
		return nil
	}
	q := func(x float64) float64 { return round(ms(h.quantile(x))) }
	return &loadLatency{Mean: round(ms(h.mean())), P50: q(0.5), P95: q(0.95), P99: q(0.99), P999: q(0.999), Max: q(1)}
}

// print prints a line of JSON, or a table and the histogram.
func (r loadResult) print(output string, h *histogram) error {
	switch output {
	case "json":
		return json.NewEncoder(os.Stdout).Encode(r)
	case "table":
	default:
		return term.Usage("--output must be table or json, not %q", output)
	}
	fmt.Printf("%d records, %.1f MB in %.1f s: %.0f records/s, %.1f MB/s\n", r.Records, float64(r.Bytes)/1e6, r.Seconds, r.RecordRate, r.Megabytes)
	if l := r.Latency; l != nil {
		fmt.Printf("latency: mean %.3g, p50 %.3g, p95 %.3g, p99 %.3g, p99.9 %.3g, max %.3g ms\n", l.Mean, l.P50, l.P95, l.P99, l.P999, l.Max)
		h.draw(os.Stdout, 40)
	}
	return nil
}

// progressLine is where a load stands.
func progressLine(elapsed time.Duration, records, bytes int64, counting time.Duration) string {
	s := max(counting.Seconds(), 1e-3)
	return fmt.Sprintf("%.1f s  %d records  %.0f records/s  %.1f MB/s", elapsed.Seconds(), records, float64(records)/s, float64(bytes)/1e6/s)
}

// showProgress keeps one line of standard error up to date, if that is a terminal, until it is stopped.
func showProgress(line func() string) (stop func()) {
	if !term.IsTerminal(os.Stderr) {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				fmt.Fprint(os.Stderr, "\r\x1b[K")
				return
			case <-tick.C:
				fmt.Fprintf(os.Stderr, "\r%s\x1b[K", line())
			}
		}
	}()
	return func() {
		close(done)
		<-ended
	}
}

// benchKeys are n distinct keys of 12 bytes.
func benchKeys(n int64) [][]byte {
	keys := make([][]byte, n)
	for i := range keys {
		keys[i] = fmt.Appendf(nil, "key-%08d", i)
	}
	return keys
}

// benchNoise is what values are cut from: bytes that do not compress.
func benchNoise(size int64) []byte {
	noise := make([]byte, size+1<<20)
	src := rand.NewChaCha8([32]byte{1})
	if _, err := src.Read(noise); err != nil {
		panic("BUG: a generator cannot fail: " + err.Error())
	}
	return noise
}
