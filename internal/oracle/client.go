package oracle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// Unavailable says why there is no DuckDB here.
type Unavailable struct{ Why string }

func (u *Unavailable) Error() string { return "no DuckDB: " + u.Why }

// Options of a DuckDB process; the zero value is DuckDB's choice.
type Options struct {
	Threads int
	Memory  string // such as 512MiB
}

// Client is a DuckDB process with one database in memory. It belongs to one goroutine.
type Client struct {
	cmd    *exec.Cmd
	in     io.WriteCloser
	ask    *json.Encoder
	answer *json.Decoder
	errs   bytes.Buffer
}

// Start builds the program of the module in dir (testdata/duckdb) into cache and starts it. The error is an *Unavailable
// when there is no C compiler, or when the module or what it needs cannot be had.
func Start(ctx context.Context, dir, cache string, o Options) (*Client, error) {
	program, err := build(ctx, dir, cache)
	if err != nil {
		return nil, err
	}
	c := &Client{cmd: exec.CommandContext(ctx, program, "-threads", strconv.Itoa(o.Threads), "-memory", o.Memory)}
	c.cmd.Stderr = &c.errs
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	c.ask, c.answer = json.NewEncoder(c.in), json.NewDecoder(out)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	return c, nil
}

func build(ctx context.Context, dir, cache string) (string, error) {
	if _, err := exec.LookPath("gcc"); err != nil {
		if _, err := exec.LookPath("cc"); err != nil {
			return "", &Unavailable{"no C compiler"}
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
		return "", &Unavailable{fmt.Sprintf("go build in %s: %v: %s", dir, err, bytes.TrimSpace(out))}
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
	if err := c.ask.Encode(map[string]any{"sql": sql, "rows": rows}); err != nil {
		return a, fmt.Errorf("oracle: %w: %s", err, c.errs.Bytes())
	}
	if err := c.answer.Decode(&a); err != nil {
		return a, fmt.Errorf("oracle: %w: %s", err, c.errs.Bytes())
	}
	if a.Error != "" {
		return a, fmt.Errorf("oracle: %s", a.Error)
	}
	return a, nil
}

// Close ends the process.
func (c *Client) Close() error { return errors.Join(c.in.Close(), c.cmd.Wait()) }
