// Command sfsubmit submits programs to a node: SQL files, Go programs, single statements, expressions. Without a server
// address it runs a node of its own inside the process.
//
//	sfsubmit run job.sql --live           the program over what arrives from now on
//	sfsubmit run job.sql --history        the same program over everything up to now
//	sfsubmit sql -e "select 1"            one statement
//	sfsubmit expr --from orders 'amount > 10 && country == "DE"'
//	sfsubmit query list                   streaming queries
//	sfsubmit why QUERY                    where the time of a query goes, and what it waits for
//	sfsubmit top                          all queries, again and again
//	sfsubmit tpch --sf 1 --out DIR        the tables of TPC-H as Parquet files
//	sfsubmit nexmark --query q5           a query of Nexmark, measured
//	sfsubmit                              an SQL shell
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args))
}

func run(ctx context.Context, args []string) int {
	return term.Main(ctx, &cli.App{
		Name: "sfsubmit", DisableSliceFlagSeparator: true, // signatures have commas
		Usage: "run SQL, Go programs and expressions over history and live streams",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "server", Aliases: []string{"s", "master"}, EnvVars: []string{"STREAMFLOW_SERVER"}, Usage: "`HOST:PORT` or sc:// address of Spark Connect; without it a node runs in this process"},
			&cli.StringFlag{Name: "data-dir", EnvVars: []string{"STREAMFLOW_DATA_DIR"}, Usage: "directory of the node in this process; a temporary one without"},
			&cli.StringFlag{Name: "memory", EnvVars: []string{"STREAMFLOW_MEMORY"}, Usage: "`SIZE` of the memory of the node in this process, such as 2GiB; queries spill before it is used up (default: half of the machine's)"},
		},
		Commands: []*cli.Command{runCommand(), sqlCommand(), exprCommand(), queryCommand(), whyCommand(), topCommand(), tpchCommand(), nexmarkCommand()},
		Action:   bare,
	}, args)
}

// bare is sfsubmit without a command: the shell on a terminal.
func bare(c *cli.Context) error {
	if c.NArg() > 0 {
		return term.Usage("sfsubmit has no command %q; see sfsubmit --help", c.Args().First())
	}
	if !term.IsTerminal(os.Stdin) {
		return term.Usage("the SQL shell needs a terminal; use sfsubmit sql -f - for standard input")
	}
	return shell(c)
}

// note prints a message for people: never on standard output.
func note(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) }
