package physical

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
)

// TestChangesAreRefused: an operator that does not know weights never runs over changes.
func TestChangesAreRefused(t *testing.T) {
	p := &planner{ctx: context.Background(), opt: Options{Streaming: true}, parts: 1}
	scan, err := p.plan(scanOf(events(t, 10, 1), true))
	if err != nil {
		t.Fatal(err)
	}
	n, err := p.weighed(scan)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := p.weighed(n); err != nil || again != n || n.props.changes == nil {
		t.Fatalf("weighed twice: %v", err)
	}
	refused := func(what string, err error) {
		t.Helper()
		var ue *usererr.Error
		if !errors.As(err, &ue) || ue.Code != "UNSUPPORTED_STREAMING_OPERATION" || ue.Fix == "" {
			t.Errorf("%s: %v", what, err)
		}
	}
	refused("appendOnly", p.appendOnly(n, "This"))
	if err := p.appendOnly(scan, "This"); err != nil {
		t.Errorf("append-only rows are refused: %v", err)
	}
	limit := p.node("Limit", "", n.Output, n)
	refused("an operator that does not know weights", p.checkChanges(limit))
	filter := p.node("Filter", "", n.Output, n)
	if err := p.checkChanges(filter); err != nil {
		t.Errorf("a filter is refused: %v", err)
	}
	refused("a weight that gets lost", p.checkChanges(p.node("Project", "", scan.Output, n)))
	refused("a random value", p.stable(n, call(t, "rand", expr.Lit(int32(1)))))
	refused("a time that moves", p.stable(n, call(t, "current_timestamp")))
	if err := p.stable(scan, call(t, "current_timestamp")); err != nil {
		t.Errorf("the time of append-only rows is refused: %v", err)
	}
}

// TestMetamorphicConstantFilter: FILTER (WHERE false) lets nothing in, over rows that change too.
func TestMetamorphicConstantFilter(t *testing.T) {
	in := tables{"events": events(t, 60, 5)}
	for _, text := range []string{
		"SELECT k, min(v) FILTER (WHERE false) AS a, count(DISTINCT v) FILTER (WHERE false) AS b, count(*) AS n FROM STREAM events GROUP BY k",
		"SELECT min(n) FILTER (WHERE false) AS a, bool_or(true) FILTER (WHERE false) AS b FROM (SELECT k, count(*) AS n FROM STREAM events GROUP BY k)",
	} {
		for _, row := range metamorphic(t, text, in) {
			if !strings.Contains(row, "null") {
				t.Errorf("%s: %s", text, row)
			}
		}
	}
}

// TestSampleOfAStream: small batches do not all draw alike.
func TestSampleOfAStream(t *testing.T) {
	in := tables{"events": events(t, 200, 5)}
	r := newLiveRun(t, "SELECT v FROM STREAM events TABLESAMPLE (50 PERCENT) REPEATABLE (3)", in, Options{}, 1)
	r.cut, r.rng = 1, rand.New(rand.NewPCG(1, 1))
	r.toEnd()
	if n := len(r.table()); n < 50 || n > 150 {
		t.Errorf("half of 200 rows are %d", n)
	}
}
