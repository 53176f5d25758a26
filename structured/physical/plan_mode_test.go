package physical

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
)

// intoTable runs a streaming query into a table in memory and returns the table's rows at the end, sorted, and those that came
// with each batch.
func intoTable(t *testing.T, text string, in tables, opt Options, columns string) []string {
	t.Helper()
	l, err := fromSQL(text, in)
	if err != nil {
		t.Fatal(err)
	}
	out := memory.New("out", mustDDL(t, columns), 1)
	opt.Sink, opt.Parts, opt.Streaming, opt.Query = out, 2, true, "q"
	phys, err := Plan(context.Background(), l, opt)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	r := &liveRun{t: t, phys: phys, root: phys.Lower(), runner: newRunner(t), clocks: map[string][]int64{}, sums: map[string]int64{}, cut: 9, rng: seeded(3)}
	r.begin()
	for ended := false; !ended; {
		ended = r.step()
		var tokens [][]byte
		for _, rep := range r.runner.reports {
			if rep.Key == connector.TokenKey {
				tokens = append(tokens, rep.Value)
			}
		}
		if err := phys.Sink.Publish(context.Background(), connector.Tx{Query: "q", Batch: r.batch}, tokens); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := out.Rows()
	if err != nil {
		t.Fatal(err)
	}
	return bag([]*column.Batch{rows})
}

// TestModesLeaveTheTable: whatever the output mode, the sink's table is in the end the result of the batch query.
func TestModesLeaveTheTable(t *testing.T) {
	in := tables{"events": events(t, 250, 4)}
	allow := map[string]string{UnboundedState: "allow"}
	for _, q := range []struct{ text, columns string }{
		{"SELECT k, count(*) FROM STREAM events GROUP BY k", "k INT, n BIGINT"},
		{"SELECT k, sum(n) FROM " + churn + " GROUP BY k", "k INT, n BIGINT"},
		{"SELECT v, k, n FROM " + churn, "v BIGINT, k INT, n BIGINT"},
		{"SELECT n FROM " + churn, "n BIGINT"}, // no key: rows stand for themselves
		{"SELECT v, sum(x) FROM (SELECT v, count(*) AS x FROM STREAM events GROUP BY v HAVING count(*) % 2 = 1) GROUP BY v", "v BIGINT, x BIGINT"},
	} {
		want := overHistory(t, q.text, in, Options{})
		for _, mode := range []connector.OutputMode{connector.Update, connector.Complete} {
			equal(t, q.text+" "+mode.String(), intoTable(t, q.text, in, Options{OutputMode: mode, Conf: allow}, q.columns), want)
		}
	}
	for _, q := range []string{
		"SELECT k, n, row_number() OVER (ORDER BY n DESC, k) AS r FROM (SELECT k, count(*) AS n FROM STREAM events GROUP BY k)",
		"SELECT k, n, r FROM (SELECT k, n, row_number() OVER (ORDER BY n DESC, k) AS r FROM (SELECT k, count(*) AS n FROM STREAM events GROUP BY k)) WHERE r <= 2",
		"SELECT k, v, r FROM (SELECT k, v, rank() OVER (PARTITION BY k ORDER BY v) AS r FROM STREAM events) WHERE r <= 2 ORDER BY v, k LIMIT 3 OFFSET 1",
	} {
		equal(t, q, intoTable(t, q, in, Options{OutputMode: connector.Complete, Conf: allow}, "k INT, n BIGINT, r INT"), overHistory(t, q, in, Options{}))
	}
	top := "SELECT k, n FROM (SELECT k, count(*) AS n FROM STREAM events GROUP BY k) WHERE n % 2 = 0 ORDER BY n DESC LIMIT 2"
	equal(t, top, intoTable(t, top, in, Options{OutputMode: connector.Complete, Conf: allow}, "k INT, n BIGINT"), overHistory(t, top, in, Options{}))
}

// TestChangelog: the kinds of changes add up to the table, and an update is told from a row that comes or goes.
func TestChangelog(t *testing.T) {
	in := tables{"events": events(t, 250, 4)}
	conf := map[string]string{UnboundedState: "allow"}
	const q = "SELECT v, k, n FROM " + churn
	rows := intoTable(t, q, in, Options{OutputMode: connector.Update, Changelog: true, Conf: conf}, "v BIGINT, k INT, n BIGINT, _op STRING")
	sums, kinds := map[string]int{}, map[string]int{}
	for _, r := range rows {
		at := strings.LastIndexByte(r, ' ')
		kinds[r[at+1:]]++
		if r[at+1] == '+' {
			sums[r[:at]]++
		} else {
			sums[r[:at]]--
		}
	}
	var table []string
	for r, n := range sums {
		for range n {
			table = append(table, r)
		}
	}
	equal(t, q, sorted(table), overHistory(t, q, in, Options{}))
	if kinds["-U"] != kinds["+U"] || kinds["-U"] == 0 || kinds["+I"] == 0 || kinds["-D"] == 0 {
		t.Fatalf("kinds: %v", kinds)
	}
}

// TestModeRefusals: what a mode or a sink cannot show is refused with what to do.
func TestModeRefusals(t *testing.T) {
	in := tables{"events": events(t, 10, 4)}
	for _, c := range []struct {
		text string
		opt  Options
	}{
		{"SELECT k, sum(n) FROM " + churn + " GROUP BY k", Options{}},
		{"SELECT k, v FROM STREAM events", Options{OutputMode: connector.Complete}},
		{"SELECT k, count(*) FROM STREAM events GROUP BY k", Options{OutputMode: connector.Complete, Changelog: true}},
		{"SELECT k, count(*) FROM STREAM events GROUP BY k", Options{OutputMode: connector.Update}},
		{"SELECT k, count(*) FROM STREAM events GROUP BY k", Options{OutputMode: connector.Update, Conf: map[string]string{WindowResults: "sometimes"}}},
		{"SELECT k, count(*) FROM STREAM events GROUP BY k", Options{OutputMode: connector.Update, Conf: map[string]string{WindowLateness: "a while"}}},
		{"SELECT v, k, n FROM " + churn + " LIMIT 3", Options{OutputMode: connector.Update, Conf: map[string]string{UnboundedState: "allow"}}},
	} {
		l, err := fromSQL(c.text, in)
		if err == nil {
			c.opt.Streaming, c.opt.Query = true, "q"
			_, err = Plan(context.Background(), l, c.opt)
		}
		var u *usererr.Error
		if !errors.As(err, &u) || u.Fix == "" {
			t.Errorf("%s: %v, want a refusal with a fix", c.text, err)
		}
	}
}
