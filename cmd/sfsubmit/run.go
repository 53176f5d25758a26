package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/sql"
)

func runCommand() *cli.Command {
	return &cli.Command{
		Name: "run", Usage: "run a program: an SQL file, or the directory of a Go program", ArgsUsage: "FILE.sql | GO-PACKAGE",
		Flags: []cli.Flag{outputFlag(),
			&cli.BoolFlag{Name: "history", Usage: "over everything up to now (the default)"},
			&cli.BoolFlag{Name: "live", Usage: "over what arrives from now on, until the input ends"},
			&cli.BoolFlag{Name: "check", Usage: "run nothing: print the operators of the program's streaming queries, what bounds their state, what sinks guarantee, and the difference to the queries that there are"},
			&cli.StringFlag{Name: "from", Usage: "begin at this `TIME` (2001-01-01T00:00:00Z, or '2001-01-01 00:00:00' in UTC)"},
			&cli.StringFlag{Name: "to", Usage: "end before this `TIME`; history only"},
			&cli.StringFlag{Name: "name", Usage: "of the program; its side outputs are the topics NAME.late and NAME.dead (default: the file's name and the mode)"}},
		Action: runProgram,
	}
}

func runProgram(c *cli.Context) error {
	if c.NArg() != 1 {
		return term.Usage("run takes one program, got %d arguments; flags may stand before or after it", c.NArg())
	}
	o, err := runOptions(c)
	if err != nil {
		return err
	}
	if err := checkOutput(c.String("output")); err != nil {
		return err
	}
	path := c.Args().First()
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		if c.Bool("check") {
			return term.Usage("--check reads an SQL file; a Go program is not run")
		}
		return runGo(c, path, o)
	}
	text, err := readFile(path)
	if err != nil {
		return err
	}
	if c.Bool("check") {
		return within(c, func(s *opened) error { return checkSQL(c, s, path, text, o) })
	}
	return within(c, func(s *opened) error { return runSQL(c, s, path, text, o) })
}

func runOptions(c *cli.Context) (structured.RunOptions, error) {
	o := structured.RunOptions{Live: c.Bool("live"), Name: c.String("name")}
	if o.Live && c.Bool("history") {
		return o, term.Usage("--history and --live exclude each other")
	}
	var err error
	if o.From, err = timeFlag(c, "from"); err != nil {
		return o, err
	}
	if o.To, err = timeFlag(c, "to"); err != nil {
		return o, err
	}
	if o.Live && !o.To.IsZero() {
		return o, term.Usage("--to goes with --history: a live run ends when its input does")
	}
	if o.Name == "" {
		mode := "history"
		if o.Live {
			mode = "live"
		}
		base := filepath.Base(filepath.Clean(c.Args().First()))
		o.Name = strings.TrimSuffix(base, filepath.Ext(base)) + "-" + mode
	}
	return o, nil
}

func timeFlag(c *cli.Context, name string) (time.Time, error) {
	v := c.String(name)
	if v == "" {
		return time.Time{}, nil
	}
	us, ok := column.ParseTimestamp(v, time.UTC)
	if !ok {
		return time.Time{}, term.Usage("--%s must be a time such as 2001-01-01T00:00:00Z, not %q", name, v)
	}
	return time.UnixMicro(us).UTC(), nil
}

// runSQL runs a file's statements; the mode is the last one's, those before it set the stage.
func runSQL(c *cli.Context, s *opened, path, text string, o structured.RunOptions) error {
	stmts, err := sql.Split(text)
	if err != nil {
		return inFile(err, path)
	}
	if len(stmts) == 0 {
		return usererr.New("PARSE_EMPTY_STATEMENT", "42617", "There is no statement in %s.", path)
	}
	for i, st := range stmts {
		opts := structured.RunOptions{}
		if i == len(stmts)-1 {
			opts = o
		}
		began := time.Now()
		if opts.Live {
			note("%s runs live; it ends when its input does, or with Ctrl-C", o.Name)
		}
		rows, err := s.Run(c.Context, st.Text, opts, structured.ExecOptions{Progress: progress(c)})
		if err == nil {
			err = print(c.Context, rows, c.String("output"))
			clearProgress()
		}
		if errors.Is(err, context.Canceled) && o.Live {
			note("stopped")
			return nil
		}
		if err != nil {
			return inFile(inScript(err, st), path)
		}
		if i == len(stmts)-1 {
			summary(o, rows.Counters(), time.Since(began))
		}
	}
	return nil
}

func inFile(err error, path string) error {
	if u, ok := usererr.As(err); ok && u.Where == "" {
		u.In(path)
	}
	return err
}

// summary tells what a program did, exactly.
func summary(o structured.RunOptions, n map[string]int64, took time.Duration) {
	rate := float64(n["rows.in"]) / took.Seconds()
	note("%s: %d rows in, %.1f s (%.0f rows/s)", o.Name, n["rows.in"], took.Seconds(), rate)
	if p50, ok := n["latency.p50.ms"]; ok {
		note("latency from record to committed result: p50 %d ms, p99 %d ms", p50, n["latency.p99.ms"])
	}
	for _, side := range []string{"late", "dead", "timeout"} {
		if k := n["rows."+side]; k > 0 {
			note("%d %s rows set aside in topic %s.%s", k, side, o.Name, side)
		}
	}
}

// runGo runs a Go program that opens its session with streamflow.FromEnv.
func runGo(c *cli.Context, dir string, o structured.RunOptions) error {
	addr := c.String("server")
	if addr == "" {
		node, l, err := serveHere(c)
		if err != nil {
			return err
		}
		addr = l.Addr().String()
		return errors.Join(runGoAt(c, dir, addr, o), node.Close())
	}
	return runGoAt(c, dir, addr, o)
}

// serveHere runs a node in this process that a program beside it can reach.
func serveHere(c *cli.Context) (*streamflow.Node, net.Listener, error) {
	conf, err := nodeHere(c)
	if err != nil {
		return nil, nil, err
	}
	node, err := streamflow.Start(conf)
	if err != nil {
		return nil, nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, errors.Join(err, node.Close())
	}
	go func() { _ = node.ServeConnect(l) }() // ends with the node
	return node, l, nil
}

// runGoAt runs the program against the node at an address.
func runGoAt(c *cli.Context, dir, addr string, o structured.RunOptions) error {
	mode := "history"
	if o.Live {
		mode = "live"
	}
	target := dir
	if !filepath.IsAbs(target) && !strings.HasPrefix(target, ".") {
		target = "./" + target
	}
	cmd := exec.CommandContext(c.Context, "go", "run", target)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), "STREAMFLOW_SERVER="+addr, "STREAMFLOW_RUN_NAME="+o.Name, "STREAMFLOW_RUN_MODE="+mode,
		"STREAMFLOW_RUN_OUTPUT="+c.String("output"), envTime("FROM", o.From), envTime("TO", o.To))
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w", dir, err)
	}
	return nil
}

func envTime(name string, t time.Time) string {
	if t.IsZero() {
		return "STREAMFLOW_RUN_" + name + "="
	}
	return "STREAMFLOW_RUN_" + name + "=" + t.Format(time.RFC3339Nano)
}
