package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// skipCode is how a suite's script says that it cannot run here.
const skipCode = 77

// errSkipped carries why.
type errSkipped string

func (e errSkipped) Error() string { return string(e) }

// run prepares a suite, runs it on fresh nodes, and once more what failed unexpectedly.
func run(ctx context.Context, o options, s suite, rec record) report {
	began := time.Now()
	rep := report{suite: s.name, nodes: s.size(o.nodes)}
	rep.result = runSuite(ctx, o, s, rec)
	rep.verdict, rep.took = rec.judge(rep.result), time.Since(began)
	return rep
}

func runSuite(ctx context.Context, o options, s suite, rec record) result {
	dir := filepath.Join(o.cache, s.name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return result{broken: err}
	}
	t := trial{o: o, s: s, dir: dir}
	if err := t.script(ctx, "prepare", s.prepare, nil); err != nil {
		return asResult(err)
	}
	cases, err := t.run(ctx, nil)
	if err != nil && len(cases) == 0 {
		return asResult(err)
	}
	res := result{cases: cases, broken: err}
	var again []string
	for _, c := range cases {
		if _, known := rec.Known[c.name]; c.outcome == failed && !known {
			again = append(again, c.name)
		}
	}
	// When most of a suite fails, something else is wrong than a slow machine.
	if len(again) > 0 && len(again) <= max(10, len(cases)/4) {
		second, err := t.run(ctx, again)
		if err == nil {
			res.cases, res.second = merge(cases, second)
		}
	}
	return res
}

func asResult(err error) result {
	var why errSkipped
	if errors.As(err, &why) {
		return result{skip: string(why)}
	}
	return result{broken: err}
}

// merge takes the outcome of the second try for cases that passed in it.
func merge(first, second []testCase) (all []testCase, better []string) {
	now := map[string]testCase{}
	for _, c := range second {
		now[c.name] = c
	}
	for _, c := range first {
		if c.outcome == failed && now[c.name].outcome == passed {
			better = append(better, c.name)
			c = now[c.name]
		}
		all = append(all, c)
	}
	return all, better
}

// trial is one suite on one size of cluster.
type trial struct {
	o   options
	s   suite
	dir string // the suite's cache
}

// run starts nodes, runs the suite's script and reads its results, of all cases or of those named.
func (t trial) run(ctx context.Context, only []string) (cases []testCase, err error) {
	c, err := startCluster(ctx, t.o.program, filepath.Join(t.o.cache, "nodes", t.s.name), t.s.size(t.o.nodes), t.s)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	apis, err := c.apis(ctx)
	if err != nil {
		return nil, err
	}
	out := filepath.Join(t.dir, "out")
	if err := errors.Join(os.RemoveAll(out), os.MkdirAll(out, 0o755)); err != nil {
		return nil, err
	}
	env := []string{"COMPAT_OUT=" + out, "COMPAT_NODES_DIR=" + c.dir, "COMPAT_BOOTSTRAP=" + strings.Join(c.kafka, ","), "COMPAT_APIS=" + apis, "COMPAT_ONLY=" + strings.Join(only, "\n")}
	if err := t.script(ctx, "run", t.s.limit, env); err != nil {
		found, _ := readCases(out) // what it had done before it broke
		return found, err
	}
	cases, err = readCases(out)
	if err == nil && len(cases) == 0 {
		err = fmt.Errorf("there are no results; its output is %s", filepath.Join(t.dir, "run.log"))
	}
	return cases, err
}

// script runs suites/NAME.sh. Its output stands in the suite's cache.
func (t trial) script(ctx context.Context, what string, limit time.Duration, env []string) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	path := filepath.Join(t.dir, what+".log")
	log, err := os.Create(path)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.CommandContext(ctx, "bash", filepath.Join(t.o.scripts, "suites", t.s.name+".sh"), what)
	cmd.Env = append(append(os.Environ(), "COMPAT_CACHE="+t.dir, "COMPAT_PROGRAM="+t.o.program, fmt.Sprintf("COMPAT_NODES=%d", t.s.size(t.o.nodes))), env...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	err = cmd.Run()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("%s did not end within %v; its output is %s", what, limit, path)
	case errors.As(err, &exit) && exit.ExitCode() == skipCode:
		return errSkipped(skipReason(path))
	}
	return fmt.Errorf("%s: %w; its output is %s", what, err, path)
}

// skipReason is the last line that begins with "skipped: ".
func skipReason(path string) string {
	b, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(b, []byte("\n"))
	for i := len(lines) - 1; i >= 0; i-- {
		if why, ok := bytes.CutPrefix(lines[i], []byte("skipped: ")); ok {
			return string(why)
		}
	}
	return "it did not say why"
}
