package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// options are what a run was asked for.
type options struct {
	suites   []string
	nodes    int
	update   bool
	cache    string // absolute
	program  string // the streamflow binary, absolute
	baseline string
	scripts  string // directory of suites/
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	o, err := parseOptions()
	if err == nil {
		var good bool
		if good, err = compare(ctx, o); err == nil && !good {
			os.Exit(1)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compat:", err)
		os.Exit(2)
	}
}

func parseOptions() (options, error) {
	o := options{}
	suites := flag.String("suites", os.Getenv("COMPAT_SUITES"), "comma separated suites; all without")
	nodes := flag.String("nodes", or(os.Getenv("COMPAT_NODES"), "1"), "size of the cluster: 1 or 3")
	flag.BoolVar(&o.update, "update", false, "record what was seen")
	flag.StringVar(&o.cache, "cache", ".cache/compat", "where foreign suites are kept")
	flag.StringVar(&o.program, "program", "bin/streamflow", "the program under test")
	flag.StringVar(&o.baseline, "baseline", "testdata/compat/baseline.json", "the record")
	flag.StringVar(&o.scripts, "scripts", "scripts/compat", "where suites/ is")
	flag.Parse()
	n, err := strconv.Atoi(*nodes)
	if err != nil || n != 1 && n != 3 {
		return o, fmt.Errorf("a cluster has 1 or 3 nodes, not %q", *nodes)
	}
	o.nodes = n
	for _, s := range allSuites {
		o.suites = append(o.suites, s.name)
	}
	if *suites != "" {
		o.suites = strings.Split(*suites, ",")
	}
	for _, name := range o.suites {
		if _, ok := suiteNamed(name); !ok {
			return o, fmt.Errorf("there is no suite %q", name)
		}
	}
	for _, p := range []*string{&o.cache, &o.program, &o.scripts} {
		if *p, err = filepath.Abs(*p); err != nil {
			return o, err
		}
	}
	return o, os.MkdirAll(o.cache, 0o755)
}

func or(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

// compare runs the suites and tells whether all is as recorded, or better.
func compare(ctx context.Context, o options) (bool, error) {
	base, err := loadBaseline(o.baseline)
	if err != nil {
		return false, err
	}
	var reports []report
	for _, name := range o.suites {
		s, _ := suiteNamed(name)
		fmt.Fprintf(os.Stderr, "== %s\n", s.title)
		r := run(ctx, o, s, base.of(name, s.size(o.nodes)))
		reports = append(reports, r)
		fmt.Fprintf(os.Stderr, "   %s\n", r.line())
		if o.update {
			base.record(r.suite, r.nodes, r.result)
			if err := base.save(o.baseline); err != nil {
				return false, err
			}
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
	}
	print(os.Stdout, reports)
	if o.update {
		return true, nil
	}
	for _, r := range reports {
		if len(r.verdict.regressions) > 0 {
			return false, nil
		}
	}
	return true, nil
}
