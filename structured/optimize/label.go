package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// labels are the hints that name the stateful operator of a query or bound its state.
var labels = map[string]bool{"name": true, "state_ttl": true}

// label puts what a hint says on the topmost node below that keeps state in a streaming query. A query without one has no
// use for it, and ignores it as Spark ignores hints that mean nothing.
func (a *analyzer) label(p logical.Plan, hint string, args []string) (logical.Plan, error) {
	if len(args) != 1 || args[0] == "" {
		return nil, usererr.New("INVALID_HINT", "42K0E", "The hint %s takes one value.", strings.ToUpper(hint)).WithFix("Write /*+ NAME('totals') */ or /*+ STATE_TTL('1 hour') */.")
	}
	set := func(l logical.Label) logical.Label { l.Name = args[0]; return l }
	if hint == "state_ttl" {
		ttl, err := logical.ParseTTL(args[0])
		if err != nil {
			return nil, err
		}
		set = func(l logical.Label) logical.Label { l.TTL = ttl; return l }
	}
	out := labelled(p, set)
	if g := a.aggs[p]; g != nil && out != p {
		a.aggs[out] = g // a Sort or Filter above still finds the grouping
	}
	return out, nil
}

func labelled(p logical.Plan, set func(logical.Label) logical.Label) logical.Plan {
	if l, ok := p.(logical.Labelled); ok {
		return l.WithLabel(set(l.OperatorLabel()))
	}
	kids := p.Children()
	if len(kids) != 1 {
		return p
	}
	kid := labelled(kids[0], set)
	if kid == kids[0] {
		return p
	}
	return p.WithChildren([]logical.Plan{kid})
}
