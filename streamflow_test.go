package streamflow

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/structured"
)

func local(t *testing.T) *LocalSession {
	t.Helper()
	s, err := Local(Config{Dir: t.TempDir(), Slots: 2, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func query(t *testing.T, s *structured.Session, sql string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	df, err := s.SQL(ctx, sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	rows, err := df.Collect(ctx)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintln(&b, r)
	}
	return b.String()
}

func TestSelectOne(t *testing.T) {
	s := local(t)
	if got := query(t, s.Session, "select 1 as a, 'x' as b"); got != "Row(a=1, b=x)\n" {
		t.Fatalf("got %q", got)
	}
}

func TestTopicTable(t *testing.T) {
	s := local(t)
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT) USING topic")
	query(t, s.Session, "INSERT INTO orders VALUES (TIMESTAMP '2024-01-01 00:00:01', 'a', 1), (TIMESTAMP '2024-01-01 00:00:02', 'b', 2)")
	query(t, s.Session, "INSERT INTO orders VALUES (TIMESTAMP '2024-01-01 00:00:03', 'a', 3)")
	if got := query(t, s.Session, "select item, sum(n) from orders group by item order by item"); got != "Row(item=a, sum(n)=4)\nRow(item=b, sum(n)=2)\n" {
		t.Fatalf("got %q", got)
	}
}
