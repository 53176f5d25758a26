package proctest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// Result is what a program that has ended left behind.
type Result struct {
	Code   int
	Stdout string
	Stderr string
}

// Command is a call of a program.
type Command struct {
	Program string   // "streamflow" or "sfsubmit"
	Args    []string // without the program's name
	Env     []string // KEY=VALUE, added to the clean environment
	Stdin   string
	Dir     string
	Timeout time.Duration // 30 s when zero
}

// Run runs a program to its end. It fails the test when the program does not end in time.
func (c Command) Run(t testing.TB) Result {
	t.Helper()
	if c.Timeout == 0 {
		c.Timeout = 30 * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, Program(t, c.Program), c.Args...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(c.Stdin), &stdout, &stderr
	cmd.Dir, cmd.Env = c.Dir, append(CleanEnv(), c.Env...)
	dieWithParent(cmd)
	err := cmd.Run()
	var exit *exec.ExitError
	if ctx.Err() != nil || (err != nil && !errors.As(err, &exit)) {
		t.Fatalf("%s %q: %v (%v)\nstdout: %s\nstderr: %s", c.Program, c.Args, err, ctx.Err(), &stdout, &stderr)
	}
	return Result{Code: cmd.ProcessState.ExitCode(), Stdout: stdout.String(), Stderr: stderr.String()}
}

// Must is Run for a call that has to succeed.
func (c Command) Must(t testing.TB) Result {
	t.Helper()
	r := c.Run(t)
	if r.Code != 0 {
		t.Fatalf("%s %q: exit code %d\nstdout: %s\nstderr: %s", c.Program, c.Args, r.Code, r.Stdout, r.Stderr)
	}
	return r
}

// CleanEnv is this process's environment without what configures StreamFlow.
func CleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "STREAMFLOW_") {
			env = append(env, kv)
		}
	}
	return env
}
