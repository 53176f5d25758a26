package physical

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
)

// goldenPlans are the queries that testdata/plans names.
var goldenPlans = map[string]func(t testing.TB, s, names *logical.Scan) logical.Plan{
	"aggregate": func(t testing.TB, s, _ *logical.Scan) logical.Plan {
		return &logical.Aggregate{Keys: []expr.Expr{s.Attrs[0]}, Child: s, List: []expr.Expr{s.Attrs[0], as(call(t, "count", s.Attrs[2]), "n")}}
	},
	"global": func(t testing.TB, s, _ *logical.Scan) logical.Plan {
		return &logical.Aggregate{Child: s, List: []expr.Expr{as(call(t, "sum", s.Attrs[2]), "total")}}
	},
	"two groupings by one key": func(t testing.TB, s, _ *logical.Scan) logical.Plan {
		inner := &logical.Aggregate{Keys: []expr.Expr{s.Attrs[0]}, Child: s, List: []expr.Expr{s.Attrs[0], as(call(t, "count", s.Attrs[2]), "n")}}
		return &logical.Dedup{Cols: []expr.Expr{s.Attrs[0]}, Child: inner}
	},
	"distinct": func(t testing.TB, s, _ *logical.Scan) logical.Plan {
		return &logical.Aggregate{Keys: []expr.Expr{s.Attrs[0]}, Child: s, List: []expr.Expr{s.Attrs[0], as(distinct(call(t, "count", s.Attrs[2])), "n")}}
	},
	"top": func(t testing.TB, s, _ *logical.Scan) logical.Plan {
		return &logical.Limit{N: 5, Offset: 2, Child: &logical.Sort{Orders: []*expr.SortOrder{{Child: s.Attrs[2], Desc: true}}, Global: true, Child: s}}
	},
	"join": func(t testing.TB, s, names *logical.Scan) logical.Plan {
		return &logical.Join{Kind: logical.LeftOuter, Left: s, Right: names, Cond: call(t, "=", s.Attrs[0], names.Attrs[0])}
	},
	"union": func(_ testing.TB, s, _ *logical.Scan) logical.Plan {
		return &logical.Limit{N: 3, Child: &logical.Union{Kids: []logical.Plan{s, s}, Attrs: s.Attrs}}
	},
	"windows": func(t testing.TB, s, _ *logical.Scan) logical.Plan { return windowed(10*second, 10*second)(t, s) },
	"filtered windows": func(t testing.TB, s, _ *logical.Scan) logical.Plan {
		return filtered(windowed(60*second, 20*second))(t, s)
	},
	"sessions": func(t testing.TB, s, _ *logical.Scan) logical.Plan { return sessions10(t, s) },
	"dedup":    func(t testing.TB, s, _ *logical.Scan) logical.Plan { return dedupByTime(t, s) },
	"limit":    func(_ testing.TB, s, _ *logical.Scan) logical.Plan { return &logical.Limit{N: 3, Child: s} },
}

// TestGoldenPlans prints plans as explain does:
//
//	plan [live] [parts=n] [mode=update] [conf=key=value] [sink]
//	name of the query
func TestGoldenPlans(t *testing.T) {
	table := events(t, 100, 1)
	names := memory.New("names", mustDDL(t, "k INT, name STRING"), 1)
	if err := names.Append(0, rowsBatch(t, "k INT, name STRING", []any{int64(1), "one"})); err != nil {
		t.Fatal(err)
	}
	datadriven.RunTest(t, "testdata/plans", func(t *testing.T, d *datadriven.TestData) string {
		opt := Options{Parts: 2, Conf: map[string]string{}, Streaming: d.HasArg("live"), Query: "q"}
		d.MaybeScanArgs(t, "parts", &opt.Parts)
		if d.HasArg("update") {
			opt.OutputMode = connector.Update
		}
		if d.HasArg("complete") {
			opt.OutputMode = connector.Complete
		}
		if d.HasArg("allow") {
			opt.Conf[UnboundedState] = "allow"
		}
		if d.HasArg("shuffle") {
			opt.Conf[BroadcastThreshold] = "-1"
		}
		q := goldenPlans[strings.TrimSpace(d.Input)]
		if q == nil {
			return fmt.Sprintf("there is no query %q", d.Input)
		}
		l := q(t, scanOf(table, opt.Streaming), scanOf(names, false))
		if d.HasArg("sink") {
			opt.Sink = memory.New("out", schemaOf(l.Output()), 1)
		}
		phys, err := Plan(context.Background(), l, opt)
		if err != nil {
			return err.Error() + "\n"
		}
		out := phys.Format()
		for _, s := range phys.Stateful {
			out += fmt.Sprintf("stateful %s closed by %v\n", s.Op, s.Watermarks)
		}
		for _, w := range phys.Watermarks {
			out += fmt.Sprintf("watermark %s over %v\n", w.Op, w.Sources)
		}
		if phys.SinkOp != "" {
			out += "sink " + phys.SinkOp + "\n"
		}
		return out
	})
}
