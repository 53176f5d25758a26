package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options of a run.
type options struct {
	program string        // streamflow
	jars    string        // Kafka's; "" when they cannot be had
	skip    string        // and why
	dir     string        // data of the servers, on the disk to measure
	seconds time.Duration // of one run
	repeat  int
	only    string
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.program, "program", "bin/streamflow", "the program under test, and the load client")
	flag.StringVar(&o.jars, "kafka-jars", "", "directory of Apache Kafka's jars")
	flag.StringVar(&o.skip, "kafka-skip", "", "why there is no Kafka")
	flag.StringVar(&o.dir, "dir", ".cache/bench", "where the servers keep their data")
	flag.DurationVar(&o.seconds, "duration", 5*time.Second, "of each run")
	flag.IntVar(&o.repeat, "repeat", 3, "runs of which the best counts")
	flag.StringVar(&o.only, "only", "", "servers, comma separated: streamflow, kafka-fsync, kafka")
	flag.Parse()
	if err := measure(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "benchlog:", err)
		os.Exit(1)
	}
}

func measure(ctx context.Context, o options) error {
	for _, p := range []*string{&o.program, &o.dir} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	r := &results{out: json.NewEncoder(os.Stdout)}
	fmt.Fprintf(os.Stderr, "load average %s\n", loadAverage())
	if err := limits(o, r); err != nil {
		return err
	}
	for _, s := range servers(o) {
		if o.only != "" && !strings.Contains(","+o.only+",", ","+s.name+",") {
			continue
		}
		if s.skip != "" {
			fmt.Fprintf(os.Stderr, "%s skipped: %s\n", s.name, s.skip)
			continue
		}
		if err := runServer(ctx, o, s, r); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	r.table(os.Stderr)
	fmt.Fprintf(os.Stderr, "load average %s; best of %d runs of %v each\n", loadAverage(), o.repeat, o.seconds)
	return nil
}

// loadAverage is how busy the machine has been: what else ran takes from every figure here.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}
