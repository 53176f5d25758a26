// Command run torments the log: seed after seed it starts a cluster of real processes, runs clients and faults against it, and
// checks what they saw (package chaoslog).
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"github.com/streamflow/streamflow/internal/chaoslog"
)

type options struct {
	runs, nodes, disk int
	seed              uint64
	duration          time.Duration
	faults, links     string
	program, keep     string
	limit             time.Duration
	verbose           bool
}

func main() {
	var o options
	flag.IntVar(&o.runs, "runs", 10, "how many runs, each with the next seed")
	flag.Uint64Var(&o.seed, "seed", 1, "seed of the first run")
	flag.IntVar(&o.nodes, "nodes", 3, "nodes of the cluster")
	flag.DurationVar(&o.duration, "duration", 20*time.Second, "how long faults last in each run")
	flag.DurationVar(&o.limit, "limit", 0, "begin no further run after this time; 0: no limit")
	flag.StringVar(&o.faults, "faults", "", "comma-separated faults (default: all that this machine allows): "+strings.Join(names(), ","))
	flag.StringVar(&o.links, "links", "auto", "networks of their own for the nodes, to cut links: on, off, auto (on for root with iproute2)")
	flag.IntVar(&o.disk, "disk", -1, "MiB of a file system of its own for each node, to fill it; 0: none; -1: 640 for root, none otherwise")
	flag.StringVar(&o.program, "program", "bin/streamflow", "the program")
	flag.StringVar(&o.keep, "keep", "", "directory for logs and histories of bad runs (default: a temporary one)")
	flag.BoolVar(&o.verbose, "v", false, "print the faults of each run, and keep the logs of clean ones")
	flag.Parse()
	os.Exit(o.run())
}

func names() (list []string) {
	for _, f := range chaoslog.Faults() {
		list = append(list, f.Name)
	}
	return list
}

// run does all runs and returns the exit code: 0 when every run was clean, 1 when an anomaly was found, 2 when a run could not be
// done.
func (o *options) run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.prepare(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	fmt.Printf("%d nodes, faults for %v in each run; links %s, disks %d MiB; logs of bad runs in %s\n", o.nodes, o.duration, o.links, o.disk, o.keep)
	fmt.Printf("%8s %7s %7s %7s %8s %6s %8s %7s  %s\n", "seed", "sent", "acked", "unknown", "read", "txns", "faults", "seconds", "anomalies")
	bad, broken, begin := 0, 0, time.Now()
	for i := 0; i < o.runs && ctx.Err() == nil && (o.limit == 0 || time.Since(begin) < o.limit); i++ {
		switch o.once(ctx, o.seed+uint64(i)) {
		case 1:
			bad++
		case 2:
			broken++
		}
	}
	fmt.Printf("%d runs with anomalies, %d that could not be done\n", bad, broken)
	switch {
	case bad > 0:
		return 1
	case broken > 0 || ctx.Err() != nil:
		return 2
	}
	return 0
}

func (o *options) prepare() error {
	root := os.Geteuid() == 0
	_, noIP := exec.LookPath("ip")
	if o.links == "auto" {
		o.links = "off"
		if root && noIP == nil && o.nodes > 1 {
			o.links = "on"
		}
	}
	if o.disk < 0 {
		o.disk = 0
		if root {
			o.disk = 640
		}
	}
	if o.keep == "" {
		dir, err := os.MkdirTemp("", "chaos-log-")
		if err != nil {
			return err
		}
		o.keep = dir
	}
	var err error
	if o.program, err = filepath.Abs(o.program); err == nil {
		_, err = os.Stat(o.program)
	}
	return err
}

func (o *options) once(ctx context.Context, seed uint64) int {
	dir := filepath.Join(o.keep, fmt.Sprintf("seed-%d", seed))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	opts := chaoslog.RunOptions{Seed: seed, Duration: o.duration, Cluster: chaoslog.ClusterOptions{
		Program: o.program, Dir: dir, Nodes: o.nodes, DiskMB: o.disk, Links: o.links == "on"}}
	if o.faults != "" {
		opts.Faults = strings.Split(o.faults, ",")
	}
	ctx, cancel := context.WithTimeout(ctx, o.duration+8*time.Minute)
	defer cancel()
	r, err := chaoslog.Run(ctx, opts)
	if r == nil {
		fmt.Fprintln(os.Stderr, err)
		return 2
	}
	c := r.Counts
	fmt.Printf("%8d %7d %7d %7d %8d %6d %8d %7.1f  %s\n", seed, c.Sent, c.Acked, c.Unknown, c.Read, c.Txns, c.Faults, r.Took.Seconds(), verdict(r, err))
	if o.verbose {
		for _, f := range r.History.Faults {
			fmt.Println("         " + f)
		}
	}
	if err == nil && len(r.Anomalies) == 0 && !o.verbose {
		_ = os.RemoveAll(dir) // a clean run leaves nothing to look at
		return 0
	}
	o.explain(r, err, dir)
	if err == nil && len(r.Anomalies) == 0 {
		return 0
	}
	if err != nil {
		return 2
	}
	return 1
}

// verdict is the kinds of anomalies with their numbers, or none.
func verdict(r *chaoslog.Result, err error) string {
	if err != nil {
		return "not done: " + err.Error()
	}
	kinds := map[string]int{}
	for _, a := range r.Anomalies {
		kinds[a.Kind]++
	}
	var list []string
	for k, n := range kinds {
		list = append(list, fmt.Sprintf("%d %s", n, k))
	}
	sort.Strings(list)
	if len(list) == 0 {
		return "none"
	}
	return strings.Join(list, ", ")
}

func (o *options) explain(r *chaoslog.Result, err error, dir string) {
	for i, a := range r.Anomalies {
		if i == 10 {
			fmt.Printf("         and %d more\n", len(r.Anomalies)-i)
			break
		}
		fmt.Printf("         %s\n", a)
	}
	b, jsonErr := json.MarshalIndent(r.History, "", " ")
	if jsonErr == nil {
		jsonErr = os.WriteFile(filepath.Join(dir, "history.json"), b, 0o644)
	}
	if jsonErr != nil {
		fmt.Fprintln(os.Stderr, "history not kept:", jsonErr)
	}
	fmt.Printf("         history and logs: %s; again: go run ./internal/chaoslog/run -runs 1 -seed %d -nodes %d -duration %v\n", dir, r.Seed, o.nodes, o.duration)
}
