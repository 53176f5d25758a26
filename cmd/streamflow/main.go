// Command streamflow runs a node and works on its log.
//
//	streamflow serve                       a node: Kafka protocol, Spark Connect, HTTP
//	streamflow topic list|create|…         topics
//	streamflow partition list|reassign|…   where their partitions lie
//	streamflow group list|describe|…       consumer groups and their offsets
//	streamflow txn list|describe|abort     transactions
//	streamflow broker list|drain|…         the brokers of a cluster
//	streamflow produce | consume           records in and out, over the Kafka protocol
//	streamflow user | acl | quota          who clients are, what they may do, and how much
//	streamflow tier status|verify          what the cold tier has
//	streamflow cert                        certificates for development
//	streamflow verify | audit DIR          a stopped node's data directory: is it sound, what was done to it
//	streamflow bench smoke                 throughput and latency of the whole path, on this machine
//	streamflow bench produce|consume       load on any Kafka-compatible cluster, measured
package main

import (
	"context"
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
		Name:     "streamflow",
		Usage:    "a Kafka-compatible log and a Spark-compatible engine in one process",
		Commands: withConnection([]*cli.Command{serveCommand(), topicCommand(), partitionCommand(), groupCommand(), txnCommand(), brokerCommand(), produceCommand(), consumeCommand(), benchCommand(), verifyCommand(), auditCommand(), userCommand(), aclCommand(), quotaCommand(), tierCommand(), certCommand()}),
	}, args)
}

// usage is a mistake in how a command was called.
func usage(format string, args ...any) error { return term.Usage(format, args...) }
