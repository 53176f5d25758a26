package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

// opened is a session and how to end it.
type opened struct {
	*structured.Session
	close func() error
}

// open opens a session: on the server that was named, else on a node in this process.
func open(c *cli.Context) (*opened, error) {
	if addr := c.String("server"); addr != "" {
		return dial(c.Context, addr)
	}
	conf, err := nodeHere(c)
	if err != nil {
		return nil, err
	}
	s, err := streamflow.Local(conf)
	if err != nil {
		return nil, err
	}
	return &opened{s.Session, s.Close}, nil
}

// nodeHere is the configuration of a node in this process.
func nodeHere(c *cli.Context) (conf streamflow.Config, err error) {
	conf = streamflow.Config{Dir: c.String("data-dir"), Logger: logger()}
	if m := c.String("memory"); m != "" {
		if conf.Memory, err = config.ParseSize(m); err != nil {
			return conf, term.Usage("--memory %s: %v", m, err)
		}
	}
	return conf, nil
}

// logger is what a node in this process logs to: warnings, and all of it when the environment asks for that.
func logger() *slog.Logger {
	level := slog.LevelWarn
	if os.Getenv("STREAMFLOW_MONITORING_LOG_LEVEL") == "debug" {
		level = slog.LevelDebug
	}
	return slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
}

func dial(ctx context.Context, addr string) (*opened, error) {
	target := addr
	if !strings.Contains(target, "://") {
		target = "sc://" + target
	}
	s, err := streamflow.Connect(ctx, target)
	if u, ok := usererr.As(err); ok && u.Code == "NODE_UNREACHABLE" {
		return nil, u.WithFix("Start one with streamflow serve, or leave out --server to run a node in this process.")
	}
	if err != nil {
		return nil, err
	}
	return &opened{s, s.Close}, nil
}

// within runs work in a session and closes it.
func within(c *cli.Context, work func(*opened) error) error {
	s, err := open(c)
	if err != nil {
		return err
	}
	return errors.Join(work(s), s.close())
}
