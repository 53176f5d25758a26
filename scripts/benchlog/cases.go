package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// shape is a kind of records and how many send them.
type shape struct {
	size      string // of a value
	producers int
}

var shapes = []shape{{"100", 1}, {"100", 50}, {"1024", 1}, {"1024", 50}}

func (s shape) String() string {
	return fmt.Sprintf("%s bytes, %d producers", s.size, s.producers)
}

// load is what the load client says.
type load struct {
	Records    int64   `json:"records"`
	RecordRate float64 `json:"records_per_s"`
	Megabytes  float64 `json:"mb_per_s"`
	Latency    struct {
		P50  float64 `json:"p50"`
		P99  float64 `json:"p99"`
		P999 float64 `json:"p999"`
	} `json:"latency_ms"`
}

// trial is a server under measurement.
type trial struct {
	ctx context.Context
	o   options
	s   server
	p   *process
	r   *results
	n   int // topics made so far
}

// runServer measures everything of one server.
func runServer(ctx context.Context, o options, s server, r *results) error {
	p, err := launch(ctx, o, s)
	if err != nil {
		return err
	}
	defer p.stop()
	t := &trial{ctx: ctx, o: o, s: s, p: p, r: r}
	t.add("start to first answer", "", p.ready.Seconds()*1000, "ms", false)
	t.add("memory idle", "", float64(p.usage().rss)/1e6, "MB", false)
	if err := t.warm(); err != nil {
		return err
	}
	peak := map[shape]load{}
	for _, sh := range shapes {
		if peak[sh], err = t.throughput(sh); err != nil {
			return err
		}
	}
	if err := t.latency(peak[shapes[2]]); err != nil {
		return err
	}
	if err := t.drain(peak[shapes[2]]); err != nil {
		return err
	}
	u := p.usage()
	t.add("memory at most", "", float64(u.peak)/1e6, "MB", false)
	t.add("processor time of the whole run", "", u.cpu, "s", false)
	return nil
}

func (t *trial) add(what, how string, value float64, unit string, more bool) {
	t.r.add(result{Server: t.s.name, Case: what, How: how, Value: value, Unit: unit, More: more, Load: loadAverage()})
}

// client runs the load client and reads what it measured.
func (t *trial) client(args ...string) (load, error) {
	cmd := exec.CommandContext(t.ctx, t.o.program, append([]string{"bench"}, append(args, "--bootstrap", t.p.addr, "--output", "json")...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return load{}, fmt.Errorf("bench %s: %w: %s", strings.Join(args, " "), err, stderr.String())
	}
	var l load
	if err := json.Unmarshal(out, &l); err != nil {
		return load{}, fmt.Errorf("bench %s: %w: %s", strings.Join(args, " "), err, out)
	}
	return l, nil
}

func (t *trial) topic() string {
	t.n++
	return fmt.Sprintf("bench-%d", t.n)
}

// warm gives a server work that does not count: a JVM compiles what it runs often.
func (t *trial) warm() error {
	for _, sh := range shapes[1:3] {
		topic := t.topic()
		if _, err := t.client("produce", topic, "--size", sh.size, "--producers", strconv.Itoa(sh.producers), "--duration", t.o.seconds.String(), "--partitions", strconv.Itoa(partitions), "--replication-factor", "1"); err != nil {
			return err
		}
		if _, err := t.client("consume", topic); err != nil {
			return err
		}
	}
	return nil
}

// throughput produces as fast as it goes and reads it back.
func (t *trial) throughput(sh shape) (best load, err error) {
	var read load
	var cpu, bytes float64
	for range t.o.repeat {
		topic, before := t.topic(), t.p.usage().cpu
		l, err := t.client("produce", topic, "--size", sh.size, "--producers", strconv.Itoa(sh.producers), "--duration", t.o.seconds.String(), "--warmup", "1s", "--buffered", strconv.Itoa(max(20_000/sh.producers, 100)), "--partitions", strconv.Itoa(partitions), "--replication-factor", "1")
		if err != nil {
			return best, err
		}
		cpu, bytes = cpu+t.p.usage().cpu-before, bytes+l.Megabytes*t.o.seconds.Seconds()
		if l.RecordRate > best.RecordRate {
			best = l
		}
		if l, err = t.client("consume", topic); err != nil {
			return best, err
		}
		if l.RecordRate > read.RecordRate {
			read = l
		}
	}
	t.add("produce", sh.String(), best.RecordRate, "records/s", true)
	t.add("produce", sh.String(), best.Megabytes, "MB/s", true)
	t.add("produce, server's processor time", sh.String(), cpu/max(bytes/1000, 1e-9), "s/GB", false)
	t.add("fetch", sh.String(), read.RecordRate, "records/s", true)
	t.add("fetch", sh.String(), read.Megabytes, "MB/s", true)
	return best, nil
}

// rates are the offered loads: half of what each server can do at most, for itself and for those after it, so that servers
// are compared at the same rate.
func (t *trial) rates(peak load) []float64 {
	rates := append([]float64{}, fixedRates...)
	return append(rates, float64(int(peak.RecordRate/2/1000))*1000)
}

// fixedRates are offered to every server.
var fixedRates = []float64{10_000}

// latency of 1 KiB records of one producer, at loads that are the same for all and at half of the server's own peak.
func (t *trial) latency(peak load) error {
	for i, rate := range t.rates(peak) {
		var best load
		for range t.o.repeat {
			l, err := t.client("produce", t.topic(), "--size", "1KiB", "--rate", fmt.Sprint(rate), "--duration", t.o.seconds.String(), "--warmup", "1s", "--partitions", strconv.Itoa(partitions), "--replication-factor", "1")
			if err != nil {
				return err
			}
			if best.Records == 0 || l.Latency.P99 < best.Latency.P99 {
				best = l
			}
		}
		how := fmt.Sprintf("%.0f records/s of 1 KiB", rate)
		if i == len(fixedRates) {
			t.add("half of its peak", "1 KiB, 1 producer", rate, "records/s", true)
			how = "half of its peak, 1 KiB"
		}
		t.add("latency p50", how, best.Latency.P50, "ms", false)
		t.add("latency p99", how, best.Latency.P99, "ms", false)
		t.add("latency p99.9", how, best.Latency.P999, "ms", false)
	}
	return nil
}

// drain reads a backlog while records keep coming at a tenth of the peak.
func (t *trial) drain(peak load) error {
	var best load
	for range t.o.repeat {
		topic := t.topic()
		backlog := int64(peak.RecordRate * t.o.seconds.Seconds())
		if _, err := t.client("produce", topic, "--size", "1KiB", "--records", fmt.Sprint(backlog), "--partitions", strconv.Itoa(partitions), "--replication-factor", "1"); err != nil {
			return err
		}
		writing := make(chan error, 1)
		go func() {
			_, err := t.client("produce", topic, "--size", "1KiB", "--rate", fmt.Sprint(peak.RecordRate/10), "--duration", "3s")
			writing <- err
		}()
		time.Sleep(500 * time.Millisecond)
		l, err := t.client("consume", topic)
		if werr := <-writing; err == nil {
			err = werr
		}
		if err != nil {
			return err
		}
		if l.RecordRate > best.RecordRate {
			best = l
		}
	}
	t.add("backlog drain while a tenth of the peak comes in", "1 KiB", best.Megabytes, "MB/s", true)
	return nil
}
