package streamflow

import (
	"context"
	"testing"
	"time"

	"github.com/streamflow/streamflow/structured"
)

// TestWindowClosesInItsBatch reads the row of a window although nothing follows the record that closed it, also where all
// rows lie in one partition and no exchange is needed for their sake.
func TestWindowClosesInItsBatch(t *testing.T) {
	for name, group := range map[string]string{"tumbling": "window(ts, '1 minute')", "session": "session_window(ts, '20 seconds')"} {
		t.Run(name, func(t *testing.T) {
			s := local(t)
			query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT, WATERMARK FOR ts AS ts - INTERVAL 1 MINUTE) USING topic OPTIONS (partitions '1')")
			rows, err := s.Run(context.Background(), "SELECT count(*) AS n FROM orders GROUP BY "+group, structured.RunOptions{Name: "l", Live: true}, structured.ExecOptions{})
			if err != nil {
				t.Fatal(err)
			}
			defer rows.Close()
			for r, ok := s.Node().Queries().Query("l"); !ok || r.StartOffsets == nil; r, ok = s.Node().Queries().Query("l") {
				time.Sleep(time.Millisecond)
			}
			produce(t, s, "orders", 0, order(0, 1, "a", 1), order(0, 2, "a", 1), order(9, 0, "a", 1))
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
			defer cancel()
			b, err := rows.Next(ctx)
			if err != nil || b.N != 1 || b.Cols[0].I64[0] != 2 {
				t.Fatalf("%v, %v", b, err)
			}
		})
	}
}
