package optimize

import "github.com/streamflow/streamflow/structured/logical"

// combineLimits makes one limit of two that have no offset between them.
var combineLimits = up(func(l *logical.Limit) logical.Plan {
	in, ok := l.Child.(*logical.Limit)
	if !ok || l.Offset > 0 || l.N < 0 || in.N < 0 {
		return l
	}
	return &logical.Limit{N: min(l.N, in.N), Offset: in.Offset, Child: in.Child}
})

// pushLimit lets a limit act before projections, and on each side of a UNION ALL, where the limit above stays.
var pushLimit = up(func(l *logical.Limit) logical.Plan {
	if l.N < 0 || logical.IsStreaming(l) {
		return l
	}
	switch c := l.Child.(type) {
	case *logical.Project:
		if _, sorted := c.Child.(*logical.Sort); sorted || !allDeterministic(c.List) {
			return pushBelowSorted(l, c)
		}
		return &logical.Project{List: c.List, Child: &logical.Limit{N: l.N, Offset: l.Offset, Child: c.Child}}
	case *logical.Union:
		return limitSides(l, c)
	case *logical.Recursion: // it may end once there are enough rows
		if n := l.N + l.Offset; n > 0 && (c.Limit == 0 || n < c.Limit) {
			r := *c
			r.Limit = n
			return &logical.Limit{N: l.N, Offset: l.Offset, Child: &r}
		}
	}
	return l
})

// pushBelowSorted puts a limit directly above a sort, where the planner makes both a top-k.
func pushBelowSorted(l *logical.Limit, p *logical.Project) logical.Plan {
	if !allDeterministic(p.List) {
		return l
	}
	return &logical.Project{List: p.List, Child: &logical.Limit{N: l.N, Offset: l.Offset, Child: p.Child}}
}

func limitSides(l *logical.Limit, u *logical.Union) logical.Plan {
	changed := false
	kids := make([]logical.Plan, len(u.Kids))
	for i, k := range u.Kids {
		kids[i] = k
		if maxRows(k) > l.N+l.Offset {
			kids[i], changed = &logical.Limit{N: l.N + l.Offset, Child: k}, true
		}
	}
	if !changed {
		return l
	}
	return &logical.Limit{N: l.N, Offset: l.Offset, Child: u.WithChildren(kids)}
}

const unlimited = int64(1) << 62

// maxRows is an upper bound of the rows that p makes.
func maxRows(p logical.Plan) int64 {
	switch p := p.(type) {
	case *logical.Limit:
		if p.N >= 0 {
			return min(p.N, maxRows(p.Child))
		}
		return maxRows(p.Child)
	case *logical.Tail:
		return p.N
	case *logical.Local:
		n := int64(0)
		for _, b := range p.Batches {
			n += int64(b.N)
		}
		return n
	case *logical.Aggregate:
		if len(p.Keys) == 0 {
			return 1
		}
	case *logical.Project, *logical.Filter, *logical.Sort, *logical.Dedup, *logical.Sample, *logical.Repartition:
		return maxRows(p.Children()[0])
	}
	return unlimited
}

// pushLimitIntoScan tells a source how many rows will do. The limit above stays.
var pushLimitIntoScan = up(func(l *logical.Limit) logical.Plan {
	if l.N < 0 || logical.IsStreaming(l) {
		return l
	}
	kid, changed := limitScan(l.Child, l.N+l.Offset)
	if !changed {
		return l
	}
	return &logical.Limit{N: l.N, Offset: l.Offset, Child: kid}
})

func limitScan(p logical.Plan, n int64) (logical.Plan, bool) {
	switch p := p.(type) {
	case *logical.Scan:
		if len(p.Filters) > 0 || p.Limit > 0 && p.Limit <= n || n == 0 {
			return p, false
		}
		c := *p
		c.Limit = n
		return &c, true
	case *logical.Project:
		kid, changed := limitScan(p.Child, n)
		if changed {
			return &logical.Project{List: p.List, Child: kid}, true
		}
	}
	return p, false
}
