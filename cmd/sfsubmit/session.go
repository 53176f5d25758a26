package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow"
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
	level := slog.LevelWarn
	if os.Getenv("STREAMFLOW_MONITORING_LOG_LEVEL") == "debug" {
		level = slog.LevelDebug
	}
	s, err := streamflow.Local(streamflow.Config{Dir: c.String("data-dir"), Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))})
	if err != nil {
		return nil, err
	}
	return &opened{s.Session, s.Close}, nil
}

func dial(ctx context.Context, addr string) (*opened, error) {
	target := addr
	if !strings.Contains(target, "://") {
		target = "sc://" + target
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(target, "sc://"), "/")
	d := net.Dialer{Timeout: 5 * time.Second}
	conn, err := d.DialContext(ctx, "tcp", host)
	if err != nil {
		return nil, usererr.New("NODE_UNREACHABLE", "08001", "No node answers at %s.", host).
			WithFix("Start one with streamflow serve, or leave out --server to run a node in this process.")
	}
	conn.Close()
	s, err := streamflow.Connect(ctx, target)
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
