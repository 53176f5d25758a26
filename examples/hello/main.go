// Command hello counts what a range holds: the smallest program.
//
//	sfsubmit run examples/hello
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/streamflow/streamflow"
	sf "github.com/streamflow/streamflow/structured"
)

func main() {
	if err := run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	p, err := streamflow.FromEnv(ctx)
	if err != nil {
		return err
	}
	defer p.Close()
	numbers := p.Range(0, 1000, 1)
	return p.Print(ctx, os.Stdout, numbers.Agg(sf.CountAll().Alias("n"), sf.Sum("id").Alias("sum")))
}
