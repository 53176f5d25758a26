package optimize

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// broadcastHints, hashHints and mergeHints are the names under which Spark knows the three join hints that the planner understands.
// Others are advice that it does not need, and are dropped.
var (
	broadcastHints = map[string]bool{"broadcast": true, "broadcastjoin": true, "mapjoin": true}
	hashHints      = map[string]bool{"shuffle_hash": true}
	mergeHints     = map[string]bool{"merge": true, "mergejoin": true, "shuffle_merge": true}
)

// hint applies a hint to the joins below it that join the relations it names; REPARTITION and COALESCE become nodes.
func (a *analyzer) hint(p *logical.Hint) (logical.Plan, error) {
	name := strings.ToLower(p.Name)
	child := p.Child
	if len(p.Args) > 0 && (broadcastHints[name] || hashHints[name] || mergeHints[name]) {
		child = hinted(child, name, p.Args)
	}
	out, err := a.plan(child)
	if err == nil && labels[name] {
		return a.label(out, name, p.Args)
	}
	if err != nil || len(p.Args) == 0 || name != "repartition" && name != "coalesce" {
		return out, err
	}
	n, err := strconv.Atoi(p.Args[0])
	if err != nil || n < 1 {
		return out, nil
	}
	return &logical.Repartition{N: n, Child: out}, nil
}

// hinted sets the hint of the joins whose sides are named.
func hinted(p logical.Plan, name string, relations []string) logical.Plan {
	j, ok := p.(*logical.Join)
	if !ok {
		return p
	}
	c := *j
	c.Left, c.Right = hinted(j.Left, name, relations), hinted(j.Right, name, relations)
	switch left, right := isNamed(j.Left, relations), isNamed(j.Right, relations); {
	case hashHints[name] && (left || right):
		c.Hint = "shuffle_hash"
	case mergeHints[name] && (left || right):
		c.Hint = "merge"
	case right:
		c.Hint = "broadcast_right"
	case left:
		c.Hint = "broadcast_left"
	}
	return &c
}

func isNamed(p logical.Plan, relations []string) bool {
	for _, r := range relations {
		switch p := p.(type) {
		case *logical.SubqueryAlias:
			if equalFold(p.Alias, r) {
				return true
			}
		case *logical.UnresolvedTable:
			if equalFold(strings.Join(p.Parts, "."), r) || len(p.Parts) > 0 && equalFold(p.Parts[len(p.Parts)-1], r) {
				return true
			}
		}
	}
	return false
}

// joinHint is the join's own hint, or what a hint directly on one of its sides (df.hint("broadcast")) means for it.
func joinHint(p *logical.Join) string {
	if p.Hint != "" {
		return p.Hint
	}
	for _, side := range []struct {
		plan logical.Plan
		hint string
	}{{p.Right, "broadcast_right"}, {p.Left, "broadcast_left"}} {
		switch name := sideHint(side.plan); {
		case broadcastHints[name]:
			return side.hint
		case hashHints[name]:
			return "shuffle_hash"
		case mergeHints[name]:
			return "merge"
		}
	}
	return ""
}

func sideHint(p logical.Plan) string {
	switch p := p.(type) {
	case *logical.Hint:
		if len(p.Args) == 0 {
			return strings.ToLower(p.Name)
		}
	case *logical.PlanID:
		return sideHint(p.Child)
	case *logical.SubqueryAlias:
		return sideHint(p.Child)
	}
	return ""
}
