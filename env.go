package streamflow

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
)

// Program is a Go program that sfsubmit run has started: its session, and over what it is to run.
type Program struct {
	*structured.Session
	Run structured.RunOptions
}

// FromEnv opens the session of a program that was started by sfsubmit run DIR [--history|--live].
func FromEnv(ctx context.Context) (*Program, error) {
	addr := os.Getenv("STREAMFLOW_SERVER")
	if addr == "" {
		return nil, usererr.New("NO_SERVER", "08001", "STREAMFLOW_SERVER does not say where the node is.").WithFix("Start the program with sfsubmit run, or set it to HOST:PORT.")
	}
	if !strings.Contains(addr, "://") {
		addr = "sc://" + addr
	}
	s, err := Connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	p := &Program{Session: s, Run: structured.RunOptions{Name: os.Getenv("STREAMFLOW_RUN_NAME"), Live: os.Getenv("STREAMFLOW_RUN_MODE") == "live"}}
	for name, to := range map[string]*time.Time{"STREAMFLOW_RUN_FROM": &p.Run.From, "STREAMFLOW_RUN_TO": &p.Run.To} {
		v := os.Getenv(name)
		if v == "" {
			continue
		}
		if *to, err = time.Parse(time.RFC3339Nano, v); err != nil {
			return nil, fmt.Errorf("streamflow: %s: %w", name, err)
		}
	}
	return p, nil
}

// Print runs a DataFrame over what the program was started for and writes its rows as they come, one JSON object a line.
func (p *Program) Print(ctx context.Context, w io.Writer, df *structured.DataFrame) error {
	rows, err := df.Over(p.Run).Rows(ctx, structured.ExecOptions{})
	if err != nil {
		return err
	}
	defer rows.Close()
	out := bufio.NewWriter(w)
	var line []byte
	for {
		b, err := rows.Next(ctx)
		if err == io.EOF {
			return out.Flush()
		}
		if err != nil {
			return err
		}
		for i := range b.N {
			line = append(column.AppendJSONRow(line[:0], b, i, len(b.Cols), time.UTC), '\n')
			if _, err := out.Write(line); err != nil {
				return err
			}
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}
