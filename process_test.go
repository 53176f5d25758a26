package streamflow

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/cep"
	"github.com/streamflow/streamflow/structured/process"
)

type visit struct {
	Page string
	Ts   time.Time
}

type silence struct {
	User  string
	Pages int64
}

// waiter puts out how much a user has seen when nothing has come for a moment of processing time.
type waiter struct {
	pages process.Value[int64]
	until process.Value[time.Time]
}

func (w *waiter) Open(s *process.State) {
	w.pages, w.until = process.NewValue[int64](s, "pages"), process.NewValue[time.Time](s, "until")
}

func (w *waiter) Row(c *process.Context[string], _ visit, _ process.Collector[silence]) error {
	n, _ := w.pages.Get()
	w.pages.Put(n + 1)
	if last, ok := w.until.Get(); ok {
		c.DropTimer(process.ProcessingTime, last)
	}
	at := c.ProcessingTime().Add(300 * time.Millisecond)
	w.until.Put(at)
	c.SetTimer(process.ProcessingTime, at)
	return nil
}

func (w *waiter) Timer(c *process.Context[string], _ process.TimerKind, out process.Collector[silence]) error {
	n, _ := w.pages.Get()
	w.pages.Clear()
	w.until.Clear()
	return out(silence{c.Key(), n})
}

// batches is what the batch function of the tests was given.
var batches struct {
	sync.Mutex
	ids  []int64
	rows []silence
}

func init() {
	process.Register("waiter", func() process.Function[string, visit, silence] { return &waiter{} })
	process.RegisterBatch("keep_silences", func(_ context.Context, b *process.Batch) error {
		rows, err := process.RowsOf[silence](b)
		batches.Lock()
		defer batches.Unlock()
		batches.ids, batches.rows = append(batches.ids, b.ID), append(batches.rows, rows...)
		return err
	})
}

// TestProcessingTimersWakeAQuery: timers go off though no row comes any more, and each micro-batch is given to the function.
func TestProcessingTimersWakeAQuery(t *testing.T) {
	s := local(t)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	query(t, s.Session, "CREATE TABLE visits (user STRING, page STRING, ts TIMESTAMP) USING topic OPTIONS (partitions '1')")
	q, err := s.ReadStream().Table("visits").KeyBy("user").Process("waiter").WriteStream().QueryName("silences").From("beginning").ForeachBatch(ctx, "keep_silences")
	if err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"ann", "bob", "ann"} {
		produce(t, s, "visits", 0, fmt.Sprintf(`{"user":%q,"page":"/","ts":"2026-01-01T00:00:00Z"}`, user))
	}
	for {
		batches.Lock()
		rows, ids := slices.Clone(batches.rows), slices.Clone(batches.ids)
		batches.Unlock()
		if len(rows) >= 2 {
			slices.SortFunc(rows, func(a, b silence) int { return strings.Compare(a.User, b.User) })
			if !slices.Equal(rows, []silence{{"ann", 2}, {"bob", 1}}) || !slices.IsSorted(ids) {
				t.Fatalf("%v in batches %v", rows, ids)
			}
			break
		}
		if failure, err := q.Exception(ctx); failure != nil || err != nil {
			t.Fatal(failure, err)
		}
		select {
		case <-ctx.Done():
			t.Fatalf("nothing more than %v", rows)
		case <-time.After(20 * time.Millisecond):
		}
	}
	if err := q.Stop(ctx); err != nil {
		t.Fatal(err)
	}
}

// TestPatternAPI: patterns as Go values, over history.
func TestPatternAPI(t *testing.T) {
	s := local(t)
	ctx := context.Background()
	query(t, s.Session, "CREATE TABLE pays (account STRING, id INT, amount DOUBLE, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL 1 SECOND) USING topic OPTIONS (partitions '1')")
	for i, p := range []struct {
		account string
		second  int
		amount  float64
	}{{"a", 1, 0.5}, {"a", 2, 50}, {"b", 2, 0.1}, {"a", 3, 900}, {"a", 4, 0.7}, {"b", 9, 20}, {"a", 30, 700}, {"a", 31, 0.2}, {"a", 33, 800}, {"a", 34, 600}} {
		produce(t, s, "pays", 0, fmt.Sprintf(`{"account":%q,"id":%d,"amount":%g,"ts":"2026-01-01T00:00:%02dZ"}`, p.account, i, p.amount, p.second))
	}
	seal(t, s, "pays")
	small := func() *cep.Pattern { return cep.Begin("small").Where("amount < 1") }
	for name, c := range map[string]struct {
		p    *cep.Pattern
		want string
	}{
		"next":           {small().Next("large").Where("large.amount > 500").Select("small.id AS a", "large.id AS b"), `{"account":"a","a":4,"b":6} {"account":"a","a":7,"b":8}`},
		"followed by":    {small().FollowedBy("large").Where("large.amount > 500").Within(10*time.Second).Select("small.id AS a", "large.id AS b"), `{"account":"a","a":0,"b":3} {"account":"a","a":7,"b":8}`},
		"any":            {small().FollowedByAny("large").Where("large.amount > 500").Within(10*time.Second).Select("small.id AS a", "large.id AS b"), `{"account":"a","a":0,"b":3} {"account":"a","a":7,"b":8} {"account":"a","a":7,"b":9}`},
		"not in between": {small().NotFollowedBy("middle").Where("amount BETWEEN 10 AND 100").FollowedBy("large").Where("amount > 500").Within(time.Minute).Select("small.id AS a", "large.id AS b"), `{"account":"a","a":4,"b":6} {"account":"a","a":7,"b":8}`},
		"never came":     {small().NotFollowedBy("large").Where("amount > 500").Within(5 * time.Second).Select("small.id AS a"), `{"account":"a","a":4} {"account":"b","a":2}`},
		"times":          {small().Next("large").Where("amount > 500").Times(2, -1).Select("small.id AS a", "count(large.id) AS n"), `{"account":"a","a":7,"n":2}`},
	} {
		rows, err := s.Table("pays").KeyBy("account").OrderBy("ts").Match(c.p).Over(structured.RunOptions{}).Rows(ctx, structured.ExecOptions{})
		if err != nil {
			text, _ := c.p.SQL()
			t.Errorf("%s: %v\n%s", name, err, text)
			continue
		}
		got, _ := drain(t, rows)
		slices.Sort(got)
		if strings.Join(got, " ") != c.want {
			text, _ := c.p.SQL()
			t.Errorf("%s: %s\nwant %s\n%s", name, got, c.want, text)
		}
	}
	for _, p := range []*cep.Pattern{small(), small().Next("small").Select("1 AS x"), small().NotFollowedBy("x").Where("true").Select("1 AS x"), small().Times(3, 2).Select("1 AS x"),
		cep.Begin("a").NotFollowedBy("b").FollowedBy("c").Select("1 AS x")} {
		if _, err := s.Table("pays").KeyBy("account").OrderBy("ts").Match(p).Collect(ctx); err == nil {
			text, _ := p.SQL()
			t.Errorf("accepted: %s", text)
		}
	}
}
