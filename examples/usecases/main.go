// Command usecases runs one of the use cases of a streaming platform: over a history first, then live over the same rows as
// they come in, and says whether both gave the same.
//
//	go run ./examples/usecases NAME [--all]
//
// dashboard, fraud, iot, recommend, logs, payments, sessions. Each brings a node of its own, with seeded rows; --all prints all
// results instead of the first.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("usecases", flag.ContinueOnError)
	all := flags.Bool("all", false, "print all results")
	var names []string
	for len(args) > 0 {
		if err := flags.Parse(args); err != nil {
			return err
		}
		if args = flags.Args(); len(args) > 0 {
			names, args = append(names, args[0]), args[1:]
		}
	}
	if len(names) != 1 {
		return fmt.Errorf("name one use case: %s", strings.Join(known(), ", "))
	}
	u, err := byName(names[0])
	if err != nil {
		return err
	}
	history, err := u.run(ctx, false)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	live, err := u.run(ctx, true)
	if err != nil {
		return fmt.Errorf("live: %w", err)
	}
	fmt.Println(u.about)
	most := 6
	if *all {
		most = len(history.rows)
	}
	for i, row := range history.rows {
		if i == most {
			fmt.Printf("… %d more\n", len(history.rows)-most)
			break
		}
		fmt.Println(row)
	}
	for _, s := range history.sides {
		fmt.Println(s)
	}
	if !history.equal(live) {
		return fmt.Errorf("live gave %d results, history %d, or others", len(live.rows), len(history.rows))
	}
	fmt.Printf("history: %d rows in, %d results; live: the same\n", u.count(), len(history.rows))
	return nil
}
