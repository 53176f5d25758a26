package oracle

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Unavailable says why there is no oracle here.
type Unavailable struct{ Why string }

func (u *Unavailable) Error() string { return u.Why }

// Options of a DuckDB process; the zero value is DuckDB's choice.
type Options struct {
	Threads int
	Memory  string // such as 512MiB
}

// Client is a DuckDB process with one database in memory. It belongs to one goroutine.
type Client struct{ *process }

// Start builds the program of the module in dir (testdata/duckdb) into cache and starts it. The error is an *Unavailable
// when there is no C compiler, or when the module or what it needs cannot be had.
func Start(ctx context.Context, dir, cache string, o Options) (*Client, error) {
	program, err := build(ctx, dir, cache)
	if err != nil {
		return nil, err
	}
	p, err := start(exec.CommandContext(ctx, program, "-threads", strconv.Itoa(o.Threads), "-memory", o.Memory))
	if err != nil {
		return nil, err
	}
	return &Client{p}, nil
}

func build(ctx context.Context, dir, cache string) (string, error) {
	if _, err := exec.LookPath("gcc"); err != nil {
		if _, err := exec.LookPath("cc"); err != nil {
			return "", &Unavailable{"no DuckDB: no C compiler"}
		}
	}
	if err := os.MkdirAll(cache, 0o777); err != nil {
		return "", fmt.Errorf("oracle: %w", err)
	}
	program, err := filepath.Abs(filepath.Join(cache, "duckdb"))
	if err != nil {
		return "", fmt.Errorf("oracle: %w", err)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, ".")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", &Unavailable{fmt.Sprintf("no DuckDB: go build in %s: %v: %s", dir, err, bytes.TrimSpace(out))}
	}
	return program, nil
}

// Answer is what a query gave and what it cost.
type Answer struct {
	Result
	Count int     `json:"count"`
	Wall  float64 `json:"wall"` // seconds
	CPU   float64 `json:"cpu"`  // seconds
	Peak  int64   `json:"peak"` // the most memory that the process has had, bytes
	Error string  `json:"error"`
}

// Query runs a statement. Its rows are counted, and returned when rows is set.
func (c *Client) Query(sql string, rows bool) (a Answer, err error) {
	if err := c.call(map[string]any{"sql": sql, "rows": rows}, &a); err != nil {
		return a, err
	}
	if a.Error != "" {
		return a, fmt.Errorf("oracle: %s", a.Error)
	}
	return a, nil
}
