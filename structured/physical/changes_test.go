package physical

import (
	"context"
	"errors"
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
