package logical

import "github.com/streamflow/streamflow/expr"

// The tree methods of every query node, in the order of plan.go: children, expressions, output, resolution.

func (p *PlanID) Children() []Plan              { return []Plan{p.Child} }
func (p *PlanID) WithChildren(k []Plan) Plan    { return &PlanID{Child: k[0], ID: p.ID} }
func (p *PlanID) Exprs() []expr.Expr            { return nil }
func (p *PlanID) WithExprs([]expr.Expr) Plan    { return p }
func (p *PlanID) Output() []*expr.Attr          { return tagged(p.Child.Output(), p.ID) }
func (p *PlanID) Resolved() bool                { return true }
func (p *UnresolvedTable) Children() []Plan     { return nil }
func (p *UnresolvedTable) Exprs() []expr.Expr   { return nil }
func (p *UnresolvedTable) Resolved() bool       { return false }
func (p *UnresolvedValues) Children() []Plan    { return nil }
func (p *UnresolvedValues) Resolved() bool      { return false }
func (p *TableFunc) Children() []Plan           { return nil }
func (p *TableFunc) Exprs() []expr.Expr         { return p.Args }
func (p *TableFunc) Resolved() bool             { return false }
func (p *TableFunc) Output() []*expr.Attr       { return nil }
func (p *TableFunc) WithChildren([]Plan) Plan   { return p }
func (p *LateralView) Children() []Plan         { return []Plan{p.Child} }
func (p *LateralView) Exprs() []expr.Expr       { return []expr.Expr{p.Call} }
func (p *LateralView) Resolved() bool           { return false }
func (p *LateralView) Output() []*expr.Attr     { return nil }
func (p *SetOp) Children() []Plan               { return []Plan{p.Left, p.Right} }
func (p *SetOp) Exprs() []expr.Expr             { return nil }
func (p *SetOp) WithExprs([]expr.Expr) Plan     { return p }
func (p *SetOp) Resolved() bool                 { return false }
func (p *SetOp) Output() []*expr.Attr           { return nil }
func (p *UnresolvedTable) Output() []*expr.Attr { return nil }
func (p *UnresolvedTable) WithChildren([]Plan) Plan {
	return p
}
func (p *UnresolvedTable) WithExprs([]expr.Expr) Plan { return p }
func (p *UnresolvedValues) Output() []*expr.Attr      { return nil }
func (p *UnresolvedValues) WithChildren([]Plan) Plan  { return p }

// Exprs of VALUES are all cells, row after row.
func (p *UnresolvedValues) Exprs() []expr.Expr {
	var all []expr.Expr
	for _, r := range p.Rows {
		all = append(all, r...)
	}
	return all
}

func (p *UnresolvedValues) WithExprs(list []expr.Expr) Plan {
	c := &UnresolvedValues{Names: p.Names, Rows: make([][]expr.Expr, len(p.Rows))}
	for i, r := range p.Rows {
		c.Rows[i], list = list[:len(r):len(r)], list[len(r):]
	}
	return c
}

func (p *TableFunc) WithExprs(list []expr.Expr) Plan {
	return &TableFunc{Name: p.Name, Args: list, Names: p.Names, Pos: p.Pos}
}

func (p *LateralView) WithChildren(k []Plan) Plan {
	c := *p
	c.Child = k[0]
	return &c
}

func (p *LateralView) WithExprs(list []expr.Expr) Plan {
	c := *p
	c.Call = list[0]
	return &c
}

func (p *SetOp) WithChildren(k []Plan) Plan {
	return &SetOp{All: p.All, Except: p.Except, Left: k[0], Right: k[1], Pos: p.Pos}
}

func (p *Scan) Children() []Plan         { return nil }
func (p *Scan) WithChildren([]Plan) Plan { return p }
func (p *Scan) Exprs() []expr.Expr       { return p.Filters }
func (p *Scan) Output() []*expr.Attr     { return p.Attrs }
func (p *Scan) Resolved() bool           { return resolved(p.Filters...) }
func (p *Scan) WithExprs(list []expr.Expr) Plan {
	c := *p
	c.Filters = list
	return &c
}

func (p *Local) Children() []Plan           { return nil }
func (p *Local) WithChildren([]Plan) Plan   { return p }
func (p *Local) Exprs() []expr.Expr         { return nil }
func (p *Local) WithExprs([]expr.Expr) Plan { return p }
func (p *Local) Output() []*expr.Attr       { return p.Attrs }
func (p *Local) Resolved() bool             { return len(p.Attrs) == p.Schema.Len() }

func (p *Range) Children() []Plan           { return nil }
func (p *Range) WithChildren([]Plan) Plan   { return p }
func (p *Range) Exprs() []expr.Expr         { return nil }
func (p *Range) WithExprs([]expr.Expr) Plan { return p }
func (p *Range) Resolved() bool             { return p.Attr != nil }
func (p *Range) Output() []*expr.Attr {
	if p.Attr == nil {
		return nil
	}
	return []*expr.Attr{p.Attr}
}

func (p *Project) Children() []Plan { return []Plan{p.Child} }
func (p *Project) WithChildren(k []Plan) Plan {
	return &Project{List: p.List, Child: k[0], WindowTable: p.WindowTable}
}
func (p *Project) Exprs() []expr.Expr { return p.List }
func (p *Project) WithExprs(list []expr.Expr) Plan {
	return &Project{List: list, Child: p.Child, WindowTable: p.WindowTable}
}
func (p *Project) Output() []*expr.Attr { return attrsOf(p.List) }
func (p *Project) Resolved() bool       { return resolved(p.List...) && len(attrsOf(p.List)) == len(p.List) }

func (p *Filter) Children() []Plan                { return []Plan{p.Child} }
func (p *Filter) WithChildren(k []Plan) Plan      { return &Filter{Cond: p.Cond, Child: k[0]} }
func (p *Filter) Exprs() []expr.Expr              { return []expr.Expr{p.Cond} }
func (p *Filter) WithExprs(list []expr.Expr) Plan { return &Filter{Cond: list[0], Child: p.Child} }
func (p *Filter) Output() []*expr.Attr            { return p.Child.Output() }
func (p *Filter) Resolved() bool                  { return p.Cond.Resolved() }

func (p *Aggregate) Children() []Plan { return []Plan{p.Child} }
func (p *Aggregate) WithChildren(k []Plan) Plan {
	return &Aggregate{Keys: p.Keys, Sets: p.Sets, List: p.List, Having: p.Having, Label: p.Label, Child: k[0]}
}
func (p *Aggregate) Output() []*expr.Attr { return attrsOf(p.List) }
func (p *Aggregate) Resolved() bool {
	return resolved(p.Keys...) && resolved(p.List...) && p.Having == nil && len(attrsOf(p.List)) == len(p.List)
}

// Exprs are the keys, the list, and HAVING if there is one, in that order.
func (p *Aggregate) Exprs() []expr.Expr {
	all := append(append([]expr.Expr{}, p.Keys...), p.List...)
	return append(all, optional(p.Having)...)
}

func (p *Aggregate) WithExprs(list []expr.Expr) Plan {
	k, l := len(p.Keys), len(p.Keys)+len(p.List)
	c := &Aggregate{Keys: list[:k:k], Sets: p.Sets, List: list[k:l:l], Label: p.Label, Child: p.Child}
	if p.Having != nil {
		c.Having = list[l]
	}
	return c
}

func (p *Sort) Children() []Plan { return []Plan{p.Child} }
func (p *Sort) WithChildren(k []Plan) Plan {
	return &Sort{Orders: p.Orders, Global: p.Global, Child: k[0]}
}
func (p *Sort) Exprs() []expr.Expr { return exprsOf(p.Orders) }
func (p *Sort) WithExprs(list []expr.Expr) Plan {
	return &Sort{Orders: toExprs[*expr.SortOrder](list), Global: p.Global, Child: p.Child}
}
func (p *Sort) Output() []*expr.Attr { return p.Child.Output() }
func (p *Sort) Resolved() bool       { return resolved(p.Exprs()...) }

func (p *Limit) Children() []Plan           { return []Plan{p.Child} }
func (p *Limit) WithChildren(k []Plan) Plan { return &Limit{N: p.N, Offset: p.Offset, Child: k[0]} }
func (p *Limit) Exprs() []expr.Expr         { return nil }
func (p *Limit) WithExprs([]expr.Expr) Plan { return p }
func (p *Limit) Output() []*expr.Attr       { return p.Child.Output() }
func (p *Limit) Resolved() bool             { return true }

func (p *Tail) Children() []Plan           { return []Plan{p.Child} }
func (p *Tail) WithChildren(k []Plan) Plan { return &Tail{N: p.N, Child: k[0]} }
func (p *Tail) Exprs() []expr.Expr         { return nil }
func (p *Tail) WithExprs([]expr.Expr) Plan { return p }
func (p *Tail) Output() []*expr.Attr       { return p.Child.Output() }
func (p *Tail) Resolved() bool             { return true }

func (p *Join) Children() []Plan { return []Plan{p.Left, p.Right} }
func (p *Join) WithChildren(k []Plan) Plan {
	c := *p
	c.Left, c.Right = k[0], k[1]
	return &c
}
func (p *Join) Exprs() []expr.Expr { return optional(p.Cond) }
func (p *Join) WithExprs(list []expr.Expr) Plan {
	c := *p
	if p.Cond != nil {
		c.Cond = list[0]
	}
	return &c
}
func (p *Join) Resolved() bool { return len(p.Using) == 0 && !p.Natural && resolved(p.Cond) }

// Output is the left side's columns, then the right side's; the side that may be missing is nullable. A semi or anti join
// only has the left side's.
func (p *Join) Output() []*expr.Attr {
	left := p.Left.Output()
	if p.Kind == LeftSemi || p.Kind == LeftAnti {
		return left
	}
	right := p.Right.Output()
	if p.Kind == LeftOuter || p.Kind == FullOuter {
		right = withNull(right)
	}
	if p.Kind == RightOuter || p.Kind == FullOuter {
		left = withNull(left)
	}
	return append(append([]*expr.Attr{}, left...), right...)
}

func (p *Union) Children() []Plan { return p.Kids }
func (p *Union) WithChildren(k []Plan) Plan {
	return &Union{Kids: k, ByName: p.ByName, AllowMissing: p.AllowMissing, Attrs: p.Attrs}
}
func (p *Union) Exprs() []expr.Expr         { return nil }
func (p *Union) WithExprs([]expr.Expr) Plan { return p }
func (p *Union) Output() []*expr.Attr       { return p.Attrs }
func (p *Union) Resolved() bool             { return p.Attrs != nil }

func (p *Dedup) Children() []Plan { return []Plan{p.Child} }
func (p *Dedup) WithChildren(k []Plan) Plan {
	return &Dedup{Cols: p.Cols, WithinWatermark: p.WithinWatermark, Label: p.Label, Child: k[0]}
}
func (p *Dedup) Exprs() []expr.Expr { return p.Cols }
func (p *Dedup) WithExprs(list []expr.Expr) Plan {
	return &Dedup{Cols: list, WithinWatermark: p.WithinWatermark, Label: p.Label, Child: p.Child}
}
func (p *Dedup) Output() []*expr.Attr { return p.Child.Output() }
func (p *Dedup) Resolved() bool       { return resolved(p.Cols...) }

func (p *SubqueryAlias) Children() []Plan { return []Plan{p.Child} }
func (p *SubqueryAlias) WithChildren(k []Plan) Plan {
	return &SubqueryAlias{Alias: p.Alias, Names: p.Names, Child: k[0]}
}
func (p *SubqueryAlias) Exprs() []expr.Expr         { return nil }
func (p *SubqueryAlias) WithExprs([]expr.Expr) Plan { return p }
func (p *SubqueryAlias) Output() []*expr.Attr {
	return qualified(p.Child.Output(), []string{p.Alias}, p.Names)
}
func (p *SubqueryAlias) Resolved() bool { return true }

func (p *Watermark) Children() []Plan {
	if p.Child == nil {
		return nil
	}
	return []Plan{p.Child}
}
func (p *Watermark) WithChildren(k []Plan) Plan {
	c := &Watermark{Col: p.Col, Delay: p.Delay}
	if len(k) > 0 {
		c.Child = k[0]
	}
	return c
}
func (p *Watermark) Exprs() []expr.Expr { return []expr.Expr{p.Col} }
func (p *Watermark) WithExprs(list []expr.Expr) Plan {
	return &Watermark{Col: list[0], Delay: p.Delay, Child: p.Child}
}
func (p *Watermark) Output() []*expr.Attr { return p.Child.Output() }
func (p *Watermark) Resolved() bool       { return p.Col.Resolved() }

func (p *Window) Children() []Plan { return []Plan{p.Child} }
func (p *Window) WithChildren(k []Plan) Plan {
	c := *p
	c.Child = k[0]
	return &c
}

// Exprs are the time, and the gap of a session window.
func (p *Window) Exprs() []expr.Expr { return append([]expr.Expr{p.Time}, optional(p.Gap)...) }
func (p *Window) WithExprs(list []expr.Expr) Plan {
	c := *p
	c.Time = list[0]
	if p.Gap != nil {
		c.Gap = list[1]
	}
	return &c
}
func (p *Window) Output() []*expr.Attr {
	return append(append([]*expr.Attr{}, p.Child.Output()...), p.Attr)
}
func (p *Window) Resolved() bool { return resolved(p.Time, p.Gap) }

func (p *Generate) Children() []Plan { return []Plan{p.Child} }
func (p *Generate) WithChildren(k []Plan) Plan {
	return &Generate{Gen: p.Gen, Attrs: p.Attrs, Child: k[0]}
}
func (p *Generate) Exprs() []expr.Expr { return []expr.Expr{p.Gen} }
func (p *Generate) WithExprs(list []expr.Expr) Plan {
	return &Generate{Gen: list[0].(*expr.Generate), Attrs: p.Attrs, Child: p.Child}
}
func (p *Generate) Output() []*expr.Attr {
	return append(append([]*expr.Attr{}, p.Child.Output()...), p.Attrs...)
}
func (p *Generate) Resolved() bool { return p.Gen.Resolved() }

func (p *Repartition) Children() []Plan { return []Plan{p.Child} }
func (p *Repartition) WithChildren(k []Plan) Plan {
	return &Repartition{N: p.N, Keys: p.Keys, Child: k[0]}
}
func (p *Repartition) Exprs() []expr.Expr { return p.Keys }
func (p *Repartition) WithExprs(list []expr.Expr) Plan {
	return &Repartition{N: p.N, Keys: list, Child: p.Child}
}
func (p *Repartition) Output() []*expr.Attr { return p.Child.Output() }
func (p *Repartition) Resolved() bool       { return resolved(p.Keys...) }

func (p *Sample) Children() []Plan { return []Plan{p.Child} }
func (p *Sample) WithChildren(k []Plan) Plan {
	c := *p
	c.Child = k[0]
	return &c
}
func (p *Sample) Exprs() []expr.Expr         { return nil }
func (p *Sample) WithExprs([]expr.Expr) Plan { return p }
func (p *Sample) Output() []*expr.Attr       { return p.Child.Output() }
func (p *Sample) Resolved() bool             { return true }

func (p *Hint) Children() []Plan           { return []Plan{p.Child} }
func (p *Hint) WithChildren(k []Plan) Plan { return &Hint{Name: p.Name, Args: p.Args, Child: k[0]} }
func (p *Hint) Exprs() []expr.Expr         { return nil }
func (p *Hint) WithExprs([]expr.Expr) Plan { return p }
func (p *Hint) Output() []*expr.Attr       { return p.Child.Output() }
func (p *Hint) Resolved() bool             { return true }

// ToDF has no output of its own: the analyser turns it into a Project.
func (p *ToDF) Children() []Plan           { return []Plan{p.Child} }
func (p *ToDF) WithChildren(k []Plan) Plan { return &ToDF{Names: p.Names, Child: k[0]} }
func (p *ToDF) Exprs() []expr.Expr         { return nil }
func (p *ToDF) WithExprs([]expr.Expr) Plan { return p }
func (p *ToDF) Output() []*expr.Attr       { return nil }
func (p *ToDF) Resolved() bool             { return false }

// Children of With are the named plans, then the plan that uses them.
func (p *With) Children() []Plan { return append(append([]Plan{}, p.Plans...), p.Child) }
func (p *With) WithChildren(k []Plan) Plan {
	n := len(p.Plans)
	return &With{Names: p.Names, Plans: k[:n:n], Recursive: p.Recursive, Levels: p.Levels, Child: k[n]}
}
func (p *With) Exprs() []expr.Expr         { return nil }
func (p *With) WithExprs([]expr.Expr) Plan { return p }
func (p *With) Output() []*expr.Attr       { return p.Child.Output() }
func (p *With) Resolved() bool             { return false }

func (p *Run) Children() []Plan { return []Plan{p.Child} }
func (p *Run) WithChildren(k []Plan) Plan {
	return &Run{Name: p.Name, Live: p.Live, From: p.From, To: p.To, Child: k[0]}
}
func (p *Run) Exprs() []expr.Expr         { return nil }
func (p *Run) WithExprs([]expr.Expr) Plan { return p }
func (p *Run) Output() []*expr.Attr       { return p.Child.Output() }
func (p *Run) Resolved() bool             { return false }
