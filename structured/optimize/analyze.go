package optimize

import (
	"context"
	"fmt"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// Env is what names are resolved against.
type Env struct {
	Catalog catalog.Catalog
	// Providers open read.format(…).load(…); nil takes those of the catalog, if it has any.
	Providers *catalog.Providers
	Views     *catalog.Views // the session's temporary views, may be nil
	// Database is where tables without a database are looked for: the default one when empty.
	Database string
	// Cached finds what is kept of a table, view or Cached plan, by its key; nil where nothing may be taken from there.
	Cached func(ctx context.Context, key string) (t logical.Table, ok bool, err error)
	// Function finds a function that CREATE FUNCTION made; may be nil.
	Function func(name string) (*catalog.Function, bool)
	// Text is what positions in the plan point into: the SQL that it was parsed from. Errors carry it.
	Text string
	// Session evaluates constants such as the cells of VALUES; nil is UTC under ANSI rules.
	Session *expr.Context
	// OutputMode of a live program whose plan does not say: append when empty.
	OutputMode string
	// Rows runs a query while another is resolved: PIVOT without values asks it which there are. Nil where none can be run.
	Rows func(ctx context.Context, plan logical.Plan) ([]*column.Batch, error)
}

// Analyze resolves a plan. A command's query is resolved in place; the plan of CREATE VIEW and EXPLAIN is checked and
// kept as it was. Errors of the user are *usererr.Error.
func Analyze(ctx context.Context, plan logical.Plan, env Env) (logical.Plan, error) {
	a := &analyzer{ctx: ctx, env: env, text: env.Text, pos: map[*expr.Attr]expr.Pos{}, aggs: map[logical.Plan]*grouping{}}
	if a.env.Session == nil {
		a.env.Session = &expr.Context{ANSI: true}
	}
	out, err := a.root(plan)
	if err != nil {
		return nil, a.placed(err)
	}
	return out, nil
}

type analyzer struct {
	ctx   context.Context
	env   Env
	text  string // what positions point into, just now
	scope *ctes
	run   logical.Run  // the bounds and mode of the program
	live  bool         // tables that grow are read as streams, marked or not
	depth int          // of views within views
	subs  *[]scalarSub // scalar subqueries of the node in hand; nil where they may not stand

	inside []string // SQL functions whose bodies are being resolved

	outers []*scope // what names mean around the subquery in hand, the nearest last

	pos  map[*expr.Attr]expr.Pos    // where a resolved reference stood
	aggs map[logical.Plan]*grouping // projections above aggregates, by the node that Sort and Filter find below them
}

// ctes is the chain of named subplans that are visible.
type ctes struct {
	name  string
	plan  logical.Plan
	outer *ctes
}

// placed gives an error the text that its position points into.
func (a *analyzer) placed(err error) error {
	if u, ok := usererr.As(err); ok && u.Text == "" && u.Line > 0 {
		u.Text = a.text
	}
	return err
}

// root resolves a statement; a query's hidden columns end here.
func (a *analyzer) root(p logical.Plan) (logical.Plan, error) {
	if logical.IsCommand(p) || isWrite(p) {
		return a.command(p)
	}
	if t, ok := p.(*logical.SQLText); ok {
		return a.sqlText(t, a.root)
	}
	out, err := a.query(p)
	if err != nil {
		return nil, err
	}
	if a.live {
		if err := CheckStreaming(out, orAppend(a.env.OutputMode)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// query resolves a plan of rows and leaves only what SELECT * would show.
func (a *analyzer) query(p logical.Plan) (logical.Plan, error) {
	if r, ok := p.(*logical.Run); ok {
		a.enter(r)
		p = r.Child
	}
	out, err := a.plan(p)
	if err != nil {
		return nil, err
	}
	if err := a.checkOrder(out); err != nil {
		return nil, err
	}
	return dropPlanIDs(visible(out)), nil
}

// enter makes the bounds of a Run those of the scans below.
func (a *analyzer) enter(r *logical.Run) {
	a.run = *r
	a.live = r.Live && !marked(r.Child)
}

// marked reports whether the plan itself says which of its tables are streams.
func marked(p logical.Plan) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		if t, ok := n.(*logical.UnresolvedTable); ok && t.Streaming {
			found = true
		}
		return !found
	})
	return found
}

// done is a resolved subplan inside an unresolved one: it is not looked at again.
type done struct{ logical.Plan }

func (d done) Children() []logical.Plan                 { return nil }
func (d done) WithChildren([]logical.Plan) logical.Plan { return d }
func (d done) Exprs() []expr.Expr                       { return nil }
func (d done) WithExprs([]expr.Expr) logical.Plan       { return d }

// plan resolves one node and everything below it.
func (a *analyzer) plan(p logical.Plan) (logical.Plan, error) {
	switch p := p.(type) {
	case done:
		return p.Plan, nil
	case recursive:
		return fresh(p.Plan), nil
	case *logical.UnresolvedTable:
		return a.table(p)
	case *logical.SQLText:
		return a.sqlText(p, a.plan)
	case *logical.With:
		return a.with(p)
	case *logical.Run:
		a.enter(p)
		return a.plan(p.Child)
	case *logical.UnresolvedValues:
		return a.values(p)
	case *logical.TableFunc:
		return a.tableFunc(p)
	case *logical.Local:
		return a.local(p), nil
	case *logical.Range:
		c := *p
		c.Attr = rangeAttr()
		return &c, nil
	case *logical.Project:
		return a.project(p, nil)
	case *logical.Aggregate:
		return a.aggregate(p, nil)
	case *logical.Sort:
		return a.sort(p)
	case *logical.Filter:
		return a.filter(p)
	case *logical.Qualify:
		return a.qualify(p)
	case *logical.Join:
		return a.join(p)
	case *logical.Hint:
		return a.hint(p)
	case *logical.Union:
		return a.union(p)
	case *logical.SetOp:
		return a.setOp(p)
	case *logical.Dedup:
		return a.dedup(p)
	case *logical.ToDF:
		return a.toDF(p)
	case *logical.SubqueryAlias:
		return a.alias(p)
	case *logical.LateralView:
		return a.lateralView(p)
	case *logical.Pivot:
		return a.pivot(p)
	case *logical.LateralJoin:
		return a.lateralJoin(p)
	case *logical.AsofJoin:
		return a.asof(p)
	case *logical.WorkTable:
		return a.workTable(p), nil
	case *logical.Watermark:
		return a.watermark(p)
	case *logical.Repartition:
		return a.repartition(p)
	case *logical.Cached:
		if t, ok, err := a.cached(p.Key); ok || err != nil {
			if err != nil {
				return nil, err
			}
			return a.scan(&logical.UnresolvedTable{}, t, nil)
		}
		return a.plan(p.Child)
	case *logical.MatchRecognize:
		return a.matchRecognize(p)
	case *logical.Process:
		return a.process(p)
	case *logical.Scan, *logical.Window, *logical.Generate, *logical.Over:
		return p, nil // resolved before
	case *logical.PlanID, *logical.Limit, *logical.Tail, *logical.Sample:
		return a.kids(p)
	case *logical.Transpose:
		return a.transpose(p)
	case *logical.Observe:
		return a.observe(p)
	case *logical.Parse:
		return a.parse(p)
	case logical.Expander:
		return a.expander(p)
	}
	if logical.IsCommand(p) || isWrite(p) {
		return nil, usererr.New("UNSUPPORTED_FEATURE.COMMAND_AS_QUERY", "0A000", "A command cannot stand where rows are wanted: %s.", p).WithFix("Run it as a statement of its own.")
	}
	return nil, fmt.Errorf("optimize: no rule resolves %T", p)
}

// kids resolves the children of a node that has no expressions.
func (a *analyzer) kids(p logical.Plan) (logical.Plan, error) {
	kids := append([]logical.Plan{}, p.Children()...)
	for i := range kids {
		k, err := a.plan(kids[i])
		if err != nil {
			return nil, err
		}
		kids[i] = k
	}
	return p.WithChildren(kids), nil
}

func (a *analyzer) expander(p logical.Expander) (logical.Plan, error) {
	kids := append([]logical.Plan{}, p.Children()...)
	for i := range kids {
		k, err := a.plan(kids[i])
		if err != nil {
			return nil, err
		}
		kids[i] = done{k}
	}
	out, err := p.WithChildren(kids).(logical.Expander).Expand()
	if err != nil {
		return nil, err
	}
	return a.plan(out)
}

// sqlText parses a statement inside the plan and resolves it by rule. Its errors point into it.
func (a *analyzer) sqlText(t *logical.SQLText, rule func(logical.Plan) (logical.Plan, error)) (logical.Plan, error) {
	p, err := sql.ParseWith(t.Text, sql.Params{Positional: t.Args, Named: t.Named})
	if err != nil {
		return nil, err
	}
	outer := a.text
	a.text = t.Text
	defer func() { a.text = outer }()
	out, err := rule(p)
	return out, a.placed(err)
}

// with makes the named plans visible in the child. Each use is resolved anew, so that a name may be used twice.
func (a *analyzer) with(p *logical.With) (logical.Plan, error) {
	outer := a.scope
	defer func() { a.scope = outer }()
	for i, name := range p.Names {
		plan := p.Plans[i]
		if p.Recursive && names(plan, name) {
			r, err := a.recursion(p, i)
			if err != nil {
				return nil, err
			}
			plan = recursive{done{r}}
		}
		a.scope = &ctes{name, plan, a.scope}
	}
	return a.plan(p.Child)
}

func (a *analyzer) repartition(p *logical.Repartition) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	keys, err := a.exprs(p.Keys, over(child))
	if err != nil {
		return nil, err
	}
	return &logical.Repartition{N: p.N, Keys: keys, Child: child}, nil
}

// visible projects the hidden columns away when there are any.
func visible(p logical.Plan) logical.Plan {
	out := p.Output()
	shown := logical.Visible(out)
	if len(shown) == len(out) {
		return p
	}
	return &logical.Project{List: attrExprs(shown), Child: p}
}

func attrExprs(attrs []*expr.Attr) []expr.Expr {
	out := make([]expr.Expr, len(attrs))
	for i, a := range attrs {
		out[i] = a
	}
	return out
}

func dropPlanIDs(p logical.Plan) logical.Plan {
	return logical.TransformUp(p, func(n logical.Plan) logical.Plan {
		if id, ok := n.(*logical.PlanID); ok {
			return id.Child
		}
		return n
	})
}

func orAppend(mode string) string {
	if mode == "" {
		return "append"
	}
	return mode
}
