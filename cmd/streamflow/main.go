// Command streamflow runs a node and works on its log.
//
//	streamflow serve                       a node: Kafka protocol, Spark Connect, HTTP
//	streamflow topic list|create|…         topics
//	streamflow produce | consume           records in and out, over the Kafka protocol
//	streamflow bench smoke                 throughput and latency of the whole path, on this machine
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"context"

	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args))
}

func run(ctx context.Context, args []string) int {
	app := &cli.App{
		Name:                 "streamflow",
		Usage:                "a Kafka-compatible log and a Spark-compatible engine in one process",
		EnableBashCompletion: true,
		Commands:             []*cli.Command{serveCommand(), topicCommand(), produceCommand(), consumeCommand(), benchCommand()},
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         usageError,
		CommandNotFound: func(c *cli.Context, name string) {
			fmt.Fprintf(os.Stderr, "error: streamflow has no command %q; see streamflow --help\n", name)
			os.Exit(term.ExitUsage)
		},
	}
	for _, c := range app.Commands {
		setUsageError(c)
	}
	return term.Exit(os.Stderr, app.RunContext(ctx, term.FlagsFirst(app, args)))
}

// setUsageError makes wrong flags exit with the code for wrong usage, in all subcommands.
func setUsageError(c *cli.Command) {
	c.OnUsageError = usageError
	for _, s := range c.Subcommands {
		setUsageError(s)
	}
}

func usageError(c *cli.Context, err error, _ bool) error {
	return term.Usage("%v; see %s --help", err, c.Command.FullName())
}

// usage is a mistake in how a command was called.
func usage(format string, args ...any) error { return term.Usage(format, args...) }
