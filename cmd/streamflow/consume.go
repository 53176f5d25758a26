package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/term"
)

func consumeCommand() *cli.Command {
	return &cli.Command{
		Name: "consume", Usage: "print a topic's records, one line each", ArgsUsage: "TOPIC",
		Flags: []cli.Flag{bootstrapFlag(),
			&cli.StringFlag{Name: "from", Value: "beginning", Usage: "beginning, now, an offset, or a time (RFC 3339)"},
			&cli.StringFlag{Name: "group", Aliases: []string{"g"}, Usage: "consume as a member of this group, from its committed offsets"},
			&cli.Int64Flag{Name: "max", Aliases: []string{"n"}, Usage: "stop after this many records"},
			&cli.BoolFlag{Name: "end", Usage: "stop at the end instead of waiting for more"},
			&cli.BoolFlag{Name: "uncommitted", Usage: "show records of open and aborted transactions too"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Value: "value", Usage: "value (the value alone) or json (with key, partition, offset, timestamp)"}},
		Action: consume,
	}
}

func consume(c *cli.Context) error {
	topic, err := oneArg(c, "topic")
	if err != nil {
		return err
	}
	opts, err := consumeOptions(c, topic)
	if err != nil {
		return err
	}
	cl, err := connect(c.Context, c, opts...)
	if err != nil {
		return err
	}
	defer cl.Close()
	if err := exists(c.Context, cl, topic); err != nil {
		return err
	}
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	var end *ending
	if c.Bool("end") {
		if end, err = newEnding(c.Context, cl, topic, !c.Bool("uncommitted")); err != nil {
			return err
		}
	}
	left := c.Int64("max")
	for n := int64(0); ; {
		done, err := poll(c.Context, cl, topic, end, func(r *kgo.Record) (bool, error) {
			n++
			return left > 0 && n >= left, printRecord(out, c.String("output"), r)
		})
		if ferr := out.Flush(); ferr != nil {
			return nil // the reader of a pipe has gone
		}
		if err == nil && done && end != nil && (left == 0 || n < left) && end.done(c.Context) && c.String("group") != "" {
			return cl.CommitUncommittedOffsets(c.Context) // all of it is printed
		}
		if done || err != nil {
			return err
		}
	}
}

// exists says when there is no such topic: a consumer would wait for it in silence.
func exists(ctx context.Context, cl *kgo.Client, topic string) error {
	list, err := kadm.NewClient(cl).ListTopics(ctx, topic)
	if err != nil {
		return err
	}
	return topicError(topic, list[topic].Err)
}

// poll fetches once and visits the records; done when visit says so, ctx ends, or end is reached (nil: never).
func poll(ctx context.Context, cl *kgo.Client, topic string, end *ending, visit func(*kgo.Record) (bool, error)) (done bool, err error) {
	waiting := ctx
	if end != nil {
		if end.done(ctx) {
			return true, nil
		}
		var cancel context.CancelFunc
		waiting, cancel = context.WithTimeout(ctx, time.Second)
		defer cancel()
	}
	fetches := cl.PollFetches(waiting)
	if err := fetchError(fetches); err != nil {
		switch {
		case errors.Is(err, context.Canceled):
			return true, nil
		case end != nil && ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded):
		default:
			return false, topicError(topic, err)
		}
	}
	for it := fetches.RecordIter(); !it.Done(); {
		r := it.Next()
		if r.Attrs.IsControl() {
			continue
		}
		if done, err := visit(r); done || err != nil {
			return done, err
		}
	}
	if end != nil {
		end.note(fetches)
	}
	return false, nil
}

// fetchError is an error of a poll that does not pass by itself. A client tries damaged records again for ever; whoever waits for
// the end must hear of them.
func fetchError(fetches kgo.Fetches) (found error) {
	fetches.EachError(func(_ string, _ int32, err error) {
		var ke *kerr.Error
		if errors.As(err, &ke) && ke.Retriable && ke != kerr.CorruptMessage {
			return
		}
		if found == nil {
			found = err
		}
	})
	return found
}

func consumeOptions(c *cli.Context, topic string) ([]kgo.Opt, error) {
	opts := []kgo.Opt{kgo.ConsumeTopics(topic), kgo.FetchMaxWait(500 * time.Millisecond), kgo.KeepRetryableFetchErrors()}
	if !c.Bool("uncommitted") {
		opts = append(opts, kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	}
	if c.Bool("end") {
		opts = append(opts, kgo.KeepControlRecords()) // a log may end in one
	}
	if g := c.String("group"); g != "" {
		opts = append(opts, kgo.ConsumerGroup(g))
	}
	switch from := c.String("from"); from {
	case "beginning":
		opts = append(opts, kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()))
	case "now":
		opts = append(opts, kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()))
	default:
		o, err := offsetFrom(from)
		if err != nil {
			return nil, err
		}
		opts = append(opts, kgo.ConsumeResetOffset(o))
	}
	if o := c.String("output"); o != "value" && o != "json" {
		return nil, term.Usage("--output must be value or json, not %q", o)
	}
	return opts, nil
}

func offsetFrom(from string) (kgo.Offset, error) {
	if n, err := strconv.ParseInt(from, 10, 64); err == nil {
		return kgo.NewOffset().At(n), nil
	}
	t, err := time.Parse(time.RFC3339, from)
	if err != nil {
		return kgo.Offset{}, term.Usage("--from must be beginning, now, an offset, or a time such as 2001-01-01T00:00:00Z, not %q", from)
	}
	return kgo.NewOffset().AfterMilli(t.UnixMilli()), nil
}

func printRecord(w io.Writer, output string, r *kgo.Record) error {
	if output == "value" {
		_, err := fmt.Fprintf(w, "%s\n", r.Value)
		return err
	}
	line, err := json.Marshal(struct {
		Partition int32  `json:"partition"`
		Offset    int64  `json:"offset"`
		Timestamp string `json:"timestamp"`
		Key       any    `json:"key"`
		Value     any    `json:"value"`
	}{r.Partition, r.Offset, r.Timestamp.UTC().Format(time.RFC3339Nano), textOrBytes(r.Key), textOrBytes(r.Value)})
	if err != nil {
		return err
	}
	_, err = w.Write(append(line, '\n'))
	return err
}

// textOrBytes is a field for JSON: text as a string, other bytes in base64, null as null.
func textOrBytes(b []byte) any {
	switch {
	case b == nil:
		return nil
	case utf8.Valid(b):
		return string(b)
	default:
		return b
	}
}
