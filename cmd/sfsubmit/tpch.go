package main

import (
	"fmt"
	"path/filepath"
	"runtime"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
	"github.com/streamflow/streamflow/internal/tpch"
)

func tpchCommand() *cli.Command {
	return &cli.Command{
		Name: "tpch", Usage: "make the tables of the TPC-H benchmark as Parquet files and print the statements that declare them",
		Flags: []cli.Flag{
			&cli.Float64Flag{Name: "sf", Value: 1, Usage: "scale `FACTOR`: 1 is 6 million order lines"},
			&cli.StringFlag{Name: "out", Usage: "the `DIR`ectory of the files"},
			&cli.IntFlag{Name: "parts", Usage: "files of a table; by default one for each processor"},
			&cli.StringFlag{Name: "compression", Value: "snappy", Usage: "snappy, zstd, gzip or none"}},
		Action: makeTPCH,
	}
}

func makeTPCH(c *cli.Context) error {
	if c.NArg() > 0 {
		return term.Usage("unexpected argument %q", c.Args().First())
	}
	if c.String("out") == "" {
		return term.Usage("tpch needs --out: the directory of the files")
	}
	if sf := c.Float64("sf"); !(sf >= 0.001 && sf <= 10000) {
		return term.Usage("--sf must be between 0.001 and 10000, got %v", sf)
	}
	dir, err := filepath.Abs(c.String("out"))
	if err != nil {
		return err
	}
	procs := runtime.GOMAXPROCS(0)
	o := tpch.Options{Dir: dir, Scale: tpch.Scale(c.Float64("sf")), Parts: c.Int("parts"), Workers: procs, Compression: c.String("compression"), Tables: tpch.Tables}
	if o.Parts <= 0 {
		o.Parts = procs
	}
	if err := tpch.Write(c.Context, o); err != nil {
		return err
	}
	for _, t := range tpch.Tables {
		fmt.Println(t.DDL(dir) + ";")
	}
	return nil
}
