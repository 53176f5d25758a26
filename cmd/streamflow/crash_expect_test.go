package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// expected is what a query has to leave behind, as counted lines: rows, late rows, dead rows.
type expected struct{ rows, late, dead map[string]int }

// check compares everything that the queries wrote with what the input's log means.
func (c *crash) check(ctx context.Context, f *feed, seen *outputs) {
	c.t.Helper()
	input := readTopic(ctx, c.t, c.node.Kafka, crashInput, kgo.ReadUncommitted())
	c.checkInput(f, input)
	for _, q := range crashQueries {
		want := q.expect(input)
		c.t.Logf("%s: %d records in, %d rows, %d late, %d dead", q.name, len(input), len(want.rows), len(want.late), len(want.dead))
		out := readTopic(ctx, c.t, c.node.Kafka, q.name+".out", kgo.ReadCommitted())
		same(c.t, q.name+".out", want.rows, q.outputLines(c.t, out))
		same(c.t, q.name+".late", want.late, sideLines(c.t, readTopic(ctx, c.t, c.node.Kafka, q.name+".late", kgo.ReadCommitted())))
		same(c.t, q.name+".dead", want.dead, sideLines(c.t, readTopic(ctx, c.t, c.node.Kafka, q.name+".dead", kgo.ReadCommitted())))
		seen.check(c.t, out)
		c.checkKcat(q.name+".out", out)
	}
}

// checkKcat has librdkafka read the topic too, where it is installed.
func (c *crash) checkKcat(topic string, records []*kgo.Record) {
	c.t.Helper()
	if _, err := exec.LookPath("kcat"); err != nil {
		c.t.Logf("%s is not read by kcat: it is not installed", topic)
		return
	}
	want, got := map[string]int{}, map[string]int{}
	for _, r := range records {
		want[string(r.Value)]++
	}
	for line := range strings.Lines(kcat(c.t, c.node, "", "-C", "-t", topic, "-o", "beginning", "-e", "-q", "-f", "%s\n", "-X", "isolation.level=read_committed")) {
		got[strings.TrimSuffix(line, "\n")]++
	}
	same(c.t, topic+" by kcat", want, got)
}

// checkInput is about the log alone: every acknowledged record is in it once, and nothing else.
func (c *crash) checkInput(f *feed, input []*kgo.Record) {
	c.t.Helper()
	found := map[string]int{}
	for _, r := range input {
		found[string(r.Key)]++
	}
	for id := range f.sent {
		if n := found[strconv.FormatInt(id, 10)]; n != 1 {
			c.t.Errorf("record %d was acknowledged and is in the log %d times", id, n)
		}
	}
	if len(found) != int(f.sent) {
		c.t.Errorf("the log holds %d different records, %d were sent", len(found), f.sent)
	}
}

// check says whether what the watching client was shown is what is there now.
func (o *outputs) check(t *testing.T, now []*kgo.Record) {
	t.Helper()
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, e := range o.errs {
		t.Error(e)
	}
	o.errs = nil
	have := map[place]string{}
	for _, r := range now {
		have[placeOf(r)] = string(r.Value)
	}
	for p, v := range o.seen {
		if len(now) > 0 && p.topic == now[0].Topic && have[p] != v {
			t.Errorf("%v was shown as %s and is now %q", p, v, have[p])
		}
	}
}

// same compares counted lines and shows what differs.
func same(t *testing.T, what string, want, got map[string]int) {
	t.Helper()
	shown := 0
	lines := map[string]bool{}
	for l := range want {
		lines[l] = true
	}
	for l := range got {
		lines[l] = true
	}
	for _, l := range slices.Sorted(maps.Keys(lines)) {
		if want[l] == got[l] {
			continue
		}
		if shown++; shown <= 10 {
			t.Errorf("%s: %s: %d times, want %d", what, l, got[l], want[l])
		}
	}
	if shown > 10 {
		t.Errorf("%s: %d more lines differ", what, shown-10)
	}
}

// event is an input record.
type event struct {
	ID int64     `json:"id"`
	TS time.Time `json:"ts"`
	K  string    `json:"k"`
	V  int64     `json:"v"`
}

// window is a group of a windowed query.
type window struct {
	start time.Time
	key   string
}

// expect is the query as a plain loop over the log: each partition in its own order, with its own clock.
func (q crashQuery) expect(input []*kgo.Record) expected {
	want := expected{rows: map[string]int{}, late: map[string]int{}, dead: map[string]int{}}
	clocks := map[int32]time.Time{}
	counts, totals := map[window]int64{}, map[window]int64{}
	for _, r := range input {
		var e event
		if err := json.Unmarshal(r.Value, &e); err != nil {
			want.dead[sidePlace(r.Partition, r.Offset)]++
			continue
		}
		if q.size == 0 {
			if e.V%3 == 0 {
				want.rows[fmt.Sprintf("%d %s %d", e.ID, e.K, e.V)]++
			}
			continue
		}
		before, started := clocks[r.Partition]
		if !started || e.TS.After(before) {
			clocks[r.Partition] = e.TS
		}
		if q.arrow && e.V%5 == 0 {
			continue
		}
		for start := e.TS.Truncate(q.slide); start.Add(q.size).After(e.TS); start = start.Add(-q.slide) {
			if started && !start.Add(q.size).After(before.Add(-crashDelay)) {
				want.late[sidePlace(r.Partition, r.Offset)]++
				continue
			}
			counts[window{start, e.K}]++
			totals[window{start, e.K}] += e.V
		}
	}
	for w, n := range counts {
		want.rows[windowLine(w.start, w.key, n, totals[w])]++
	}
	return want
}

func windowLine(start time.Time, key string, n, total int64) string {
	return fmt.Sprintf("%s %s %d %d", start.UTC().Format(time.RFC3339), key, n, total)
}

func sidePlace(partition int32, offset int64) string { return fmt.Sprintf("%d@%d", partition, offset) }

// outputLines are the rows of an output topic.
func (q crashQuery) outputLines(t *testing.T, records []*kgo.Record) map[string]int {
	t.Helper()
	lines := map[string]int{}
	for _, r := range records {
		var row struct {
			ID, V, N, Total int64
			K               string
			W               time.Time
		}
		if err := json.Unmarshal(r.Value, &row); err != nil {
			t.Errorf("%v holds %q: %v", placeOf(r), r.Value, err)
			continue
		}
		if q.size == 0 {
			lines[fmt.Sprintf("%d %s %d", row.ID, row.K, row.V)]++
		} else {
			lines[windowLine(row.W, row.K, row.N, row.Total)]++
		}
	}
	return lines
}

// sideLines are the places that rows of a side topic name.
func sideLines(t *testing.T, records []*kgo.Record) map[string]int {
	t.Helper()
	lines := map[string]int{}
	for _, r := range records {
		var row struct {
			Topic     string
			Partition int32
			Offset    int64
			Reason    string
		}
		if err := json.Unmarshal(r.Value, &row); err != nil || row.Topic != crashInput || row.Reason == "" {
			t.Errorf("%v holds %q (%v)", placeOf(r), r.Value, err)
			continue
		}
		lines[sidePlace(row.Partition, row.Offset)]++
	}
	return lines
}
