// Command delays is testdata/demo/delays.sql as a Go program: delays by hour and state, over history and live.
//
//	sfsubmit run examples/delays --history
//	sfsubmit run examples/delays --live
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"github.com/streamflow/streamflow"
	sf "github.com/streamflow/streamflow/structured"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
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
	return p.Print(ctx, os.Stdout, delays(p.Session))
}

// delays is the program: the same DataFrame over history and live.
func delays(s *sf.Session) *sf.DataFrame {
	flights := s.Table("demo")
	airports := s.Read().Option("header", true).Option("inferSchema", true).CSV("testdata/flights/airports.csv")
	hour := sf.Window(sf.Col("ts"), "1 hour")
	return flights.
		Join(airports, flights.Col("origin").Eq(airports.Col("iata")), "inner").
		Filter(sf.Expr("distance >= 100 AND (delay > 15 OR destination IN ('JFK', 'LAX', 'ORD'))")).
		GroupBy(hour, sf.Col("state")).
		Agg(sf.CountAll().Alias("flights"), sf.Sum("delay").Alias("delay_minutes"), sf.Max("delay").Alias("worst")).
		Select(sf.Col("window.start").Alias("hour"), sf.Col("state"), sf.Col("flights"), sf.Col("delay_minutes"), sf.Col("worst"))
}
