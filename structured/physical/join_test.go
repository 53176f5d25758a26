package physical

import (
	"fmt"
	"testing"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

var allKinds = []logical.JoinKind{logical.Inner, logical.LeftOuter, logical.RightOuter, logical.FullOuter, logical.LeftSemi, logical.LeftAnti}

// TestJoinAgainstOracle joins with every kind, strategy, build side, condition and memory limit.
func TestJoinAgainstOracle(t *testing.T) {
	for _, size := range [][2]int{{0, 50}, {50, 0}, {120, 300}, {1200, 500}} {
		lt, lrows := people(t, size[0], 21)
		rt, rrows := people(t, size[1], 22)
		for _, kind := range allKinds {
			for _, conf := range []string{"10485760", "-1", "merge"} {
				for _, cond := range []string{"keys", "keys and condition", "null-safe"} {
					name := fmt.Sprintf("%v/%v/broadcast=%s/%s", size, kind, conf, cond)
					cases(t, size[0], func(t *testing.T, opt Options, mem *stingy) {
						opt.Conf = map[string]string{BroadcastThreshold: conf}
						l, r := scanOf(lt, false), scanOf(rt, false)
						j := &logical.Join{Kind: kind, Left: l, Right: r, Cond: joinCond(t, cond, l, r)}
						if conf == "merge" {
							j.Hint = conf
						}
						equal(t, name, bag(runPlan(t, j, opt, mem)), joinOracle(kind, cond, lrows, rrows))
					})
				}
			}
		}
	}
}

func joinCond(t testing.TB, cond string, l, r *logical.Scan) expr.Expr {
	k := call(t, "=", l.Attrs[0], r.Attrs[0])
	switch cond {
	case "keys and condition":
		return expr.AndAll([]expr.Expr{k, call(t, "<", l.Attrs[3], r.Attrs[3])})
	case "null-safe":
		return call(t, "<=>", l.Attrs[0], r.Attrs[0])
	}
	return k
}

func joinOracle(kind logical.JoinKind, cond string, left, right [][]any) []string {
	var out [][]any
	matchedRight := make([]bool, len(right))
	none := []any{nil, nil, nil, nil}
	for _, l := range left {
		found := false
		for j, r := range right {
			if !joins(cond, l, r) {
				continue
			}
			found, matchedRight[j] = true, true
			if kind != logical.LeftSemi && kind != logical.LeftAnti {
				out = append(out, append(append([]any{}, l...), r...))
			}
		}
		switch {
		case kind == logical.LeftSemi && found, kind == logical.LeftAnti && !found:
			out = append(out, l)
		case !found && (kind == logical.LeftOuter || kind == logical.FullOuter):
			out = append(out, append(append([]any{}, l...), none...))
		}
	}
	if kind == logical.RightOuter || kind == logical.FullOuter {
		for j, r := range right {
			if !matchedRight[j] {
				out = append(out, append(append([]any{}, none...), r...))
			}
		}
	}
	return lines(out)
}

func joins(cond string, l, r []any) bool {
	switch cond {
	case "null-safe":
		return l[0] == r[0]
	case "keys and condition":
		return l[0] != nil && l[0] == r[0] && l[3] != nil && r[3] != nil && l[3].(float64) < r[3].(float64)
	}
	return l[0] != nil && l[0] == r[0]
}

// TestJoinWithoutKeys looks at every pair.
func TestJoinWithoutKeys(t *testing.T) {
	lt, lrows := people(t, 60, 31)
	rt, rrows := people(t, 90, 32)
	for _, kind := range append(allKinds, logical.Cross) {
		for _, parts := range []int{1, 3} {
			l, r := scanOf(lt, false), scanOf(rt, false)
			j := &logical.Join{Kind: kind, Left: l, Right: r}
			if kind != logical.Cross {
				j.Cond = call(t, "<", l.Attrs[3], r.Attrs[3])
			}
			want := pairOracle(kind, lrows, rrows)
			equal(t, fmt.Sprint(kind, parts), bag(runPlan(t, j, Options{Parts: parts}, nil)), want)
		}
	}
}

func pairOracle(kind logical.JoinKind, left, right [][]any) []string {
	var out [][]any
	matched := make([]bool, len(right))
	none := []any{nil, nil, nil, nil}
	for _, l := range left {
		found := false
		for j, r := range right {
			if kind != logical.Cross && (l[3] == nil || r[3] == nil || l[3].(float64) >= r[3].(float64)) {
				continue
			}
			found, matched[j] = true, true
			if kind != logical.LeftSemi && kind != logical.LeftAnti {
				out = append(out, append(append([]any{}, l...), r...))
			}
		}
		if kind == logical.LeftSemi && found || kind == logical.LeftAnti && !found {
			out = append(out, l)
		}
		if !found && (kind == logical.LeftOuter || kind == logical.FullOuter) {
			out = append(out, append(append([]any{}, l...), none...))
		}
	}
	for j, r := range right {
		if !matched[j] && (kind == logical.RightOuter || kind == logical.FullOuter) {
			out = append(out, append(append([]any{}, none...), r...))
		}
	}
	return lines(out)
}
