package streamflow

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/oracle"
	"github.com/streamflow/streamflow/internal/tpcds"
)

var (
	tpcdsScale  = flag.Float64("tpcds-scale", 0.05, "scale factor of the tables of TestTPCDS")
	tpcdsDir    = flag.String("tpcds-dir", "", "directory that keeps the tables of TestTPCDS")
	tpcdsMemory = flag.String("tpcds-memory", "1GiB", "what the queries of TestTPCDS may use")
)

// TestTPCDS runs the 99 queries beside DuckDB's answers, where Python has DuckDB and its extension tpcds
// (scripts/foreign-clients.sh installs them).
func TestTPCDS(t *testing.T) {
	dir := *tpcdsDir
	if dir == "" {
		dir = filepath.Join(t.TempDir(), "tables")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		t.Fatal(err)
	}
	err = tpcds.Prepare(context.Background(), tpcds.Python(), "testdata/tpcds/prepare.py", dir, *tpcdsScale)
	if why := new(tpcds.Unavailable); errors.As(err, &why) {
		t.Skip("skipped: ", why)
	}
	if err != nil {
		t.Fatal(err)
	}
	memory, err := config.ParseSize(*tpcdsMemory)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Local(Config{Dir: t.TempDir(), Slots: 2, Memory: memory, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for _, table := range tpcds.Tables {
		query(t, s.Session, tpcds.DDL(dir, table))
	}
	for n := 1; n <= tpcds.Queries; n++ {
		t.Run(fmt.Sprint("q", n), func(t *testing.T) { tpcdsQuery(t, s, dir, n) })
	}
}

// tpcdsParts are queries that add up quotients, which Spark rounds to decimals and DuckDB computes as doubles: how many there are in a sum at
// the most. Any other is 1.
var tpcdsParts = map[int]int{66: 100}

func tpcdsQuery(t *testing.T, s *LocalSession, dir string, n int) {
	text, err := tpcds.Query(dir, n)
	if err != nil {
		t.Fatal(err)
	}
	want, err := oracle.Load(tpcds.Answer(dir, n))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	got, err := oracle.Collect(ctx, s.Session, text)
	if err == nil {
		err = oracle.CompareWithin(got, want, false, max(tpcdsParts[n], 1))
	}
	if err != nil {
		t.Error(err)
	}
}
