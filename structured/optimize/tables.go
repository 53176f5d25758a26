package optimize

import (
	"encoding/json"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// table finds what a name after FROM means: a common table expression, a temporary view, a table, a view.
func (a *analyzer) table(u *logical.UnresolvedTable) (logical.Plan, error) {
	if u.Format != "" {
		return a.source(u)
	}
	if len(u.Parts) == 1 {
		if p, ok, err := a.local1(u); ok || err != nil {
			return p, err
		}
	}
	for _, name := range catalog.Names(u.Parts, a.env.Database) {
		p, ok, err := a.named(u, name)
		if ok || err != nil {
			return p, at(err, u.Pos)
		}
	}
	return nil, catalog.NotFound(a.ctx, a.env.Catalog, a.env.Views, strings.Join(u.Parts, ".")).At(u.Pos.Line, u.Pos.Col)
}

// local1 looks among the names of the statement and the session.
func (a *analyzer) local1(u *logical.UnresolvedTable) (logical.Plan, bool, error) {
	for s := a.scope; s != nil; s = s.outer {
		if equalFold(s.name, u.Parts[0]) {
			outer := a.scope
			a.scope = s.outer
			p, err := a.plan(s.plan)
			a.scope = outer
			return p, true, err
		}
	}
	if v, ok := a.env.Views.Get(u.Parts[0]); ok {
		if p, ok, err := a.kept(u, ViewKey(u.Parts[0])); ok || err != nil {
			return p, true, err
		}
		p, err := a.view(u.Parts[0], v, "")
		return p, true, err
	}
	return nil, false, nil
}

// maxViews bounds views within views, which is how a view that uses itself shows.
const maxViews = 50

// view resolves a view's plan under its name. The statement's own names are not visible inside.
func (a *analyzer) view(name string, p logical.Plan, text string) (logical.Plan, error) {
	if a.depth++; a.depth > maxViews {
		return nil, usererr.New("RECURSIVE_VIEW", "42K0H", "The view `%s` uses itself, or views nest deeper than %d.", name, maxViews)
	}
	scope, outer := a.scope, a.text
	a.scope, a.text = nil, text
	out, err := a.plan(p)
	if err != nil {
		if u, ok := usererr.As(a.placed(err)); ok && u.Where == "" {
			u.In("view " + name)
		}
	}
	a.scope, a.text = scope, outer
	a.depth--
	if err != nil {
		return nil, err
	}
	return &logical.SubqueryAlias{Alias: name, Child: visible(out)}, nil
}

// named looks a name up in the catalog.
func (a *analyzer) named(u *logical.UnresolvedTable, name string) (logical.Plan, bool, error) {
	if a.env.Catalog == nil {
		return nil, false, nil
	}
	if p, ok, err := a.kept(u, name); ok || err != nil {
		return p, ok, err
	}
	t, ok, err := a.env.Catalog.Table(a.ctx, name)
	if err != nil {
		return nil, false, err
	}
	if ok {
		p, err := a.scan(u, t, u.Parts)
		return p, true, err
	}
	text, ok := a.env.Catalog.View(name)
	if !ok {
		return nil, false, nil
	}
	parsed, err := sql.Parse(text)
	if err != nil {
		return nil, false, fmt.Errorf("optimize: text of view %s: %w", name, err)
	}
	p, err := a.view(name, parsed, text)
	return p, true, err
}

// ViewKey is the key under which the rows of a temporary view are kept.
func ViewKey(name string) string { return "view:" + strings.ToLower(name) }

func (a *analyzer) cached(key string) (logical.Table, bool, error) {
	if a.env.Cached == nil || a.live {
		return nil, false, nil
	}
	return a.env.Cached(a.ctx, key)
}

// kept reads a table or view from the cache, if it is there.
func (a *analyzer) kept(u *logical.UnresolvedTable, key string) (logical.Plan, bool, error) {
	if u.Streaming || len(u.Options) > 0 {
		return nil, false, nil
	}
	t, ok, err := a.cached(strings.ToLower(key))
	if !ok || err != nil {
		return nil, false, err
	}
	p, err := a.scan(u, t, u.Parts)
	return p, true, err
}

// source opens what read.format(…).load(…) describes.
func (a *analyzer) source(u *logical.UnresolvedTable) (logical.Plan, error) {
	providers := a.providers()
	if providers == nil {
		return nil, fmt.Errorf("optimize: no providers to open format %s with", u.Format)
	}
	def := catalog.TableDef{Name: u.Format, Schema: u.Schema, Provider: u.Format, Options: map[string]string{}}
	maps.Copy(def.Options, u.Options)
	switch len(u.Paths) {
	case 0:
	case 1:
		def.Options["path"] = u.Paths[0]
		def.Name = u.Format + ".`" + u.Paths[0] + "`"
	default:
		all, _ := json.Marshal(u.Paths) // strings always encode
		def.Options["paths"] = string(all)
	}
	t, err := providers.Open(a.ctx, def)
	if err != nil {
		return nil, at(err, u.Pos)
	}
	return a.scan(u, t, nil)
}

func (a *analyzer) providers() *catalog.Providers {
	if a.env.Providers != nil {
		return a.env.Providers
	}
	if c, ok := a.env.Catalog.(interface{ Providers() *catalog.Providers }); ok {
		return c.Providers()
	}
	return nil
}

// scan reads a table whole, its hidden columns included; pruning comes later.
func (a *analyzer) scan(u *logical.UnresolvedTable, t logical.Table, qualifier []string) (logical.Plan, error) {
	_, grows := t.(connector.StreamReader)
	if u.Streaming && !grows {
		return nil, usererr.New("STREAMING_TABLE_NOT_SUPPORTED", "0A000", "The table `%s` cannot be read as a stream: %s tables do not grow.", t.Name(), t.Provider()).
			At(u.Pos.Line, u.Pos.Col).WithFix("Read it without STREAM.")
	}
	s := &logical.Scan{Table: t, Streaming: u.Streaming || a.live && grows, Options: a.scanOptions(u, grows)}
	if kept, ok := a.env.Catalog.(catalog.Analyzed); ok {
		s.Stats = kept.Statistics(t.Name())
	}
	fields := t.Schema().Fields
	for i, f := range fields {
		s.Columns = append(s.Columns, i)
		s.Attrs = append(s.Attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Qualifier: qualifier, Typ: f.Type, Null: f.Nullable,
			Hidden: i >= len(fields)-t.Hidden()})
	}
	return a.declaredWatermark(s)
}

// scanOptions are the read's own options and the bounds of the program.
func (a *analyzer) scanOptions(u *logical.UnresolvedTable, grows bool) map[string]string {
	options := map[string]string{}
	maps.Copy(options, u.Options)
	if !grows {
		return options
	}
	if a.run.From != nil {
		options[logical.OptionFrom] = strconv.FormatInt(*a.run.From, 10)
	}
	if a.run.To != nil {
		options[logical.OptionTo] = strconv.FormatInt(*a.run.To, 10)
	}
	return options
}

// declaredWatermark puts the watermark that a table was declared with above its scan.
func (a *analyzer) declaredWatermark(s *logical.Scan) (logical.Plan, error) {
	options := s.Table.Options()
	name := options[logical.OptionEventTime]
	if name == "" {
		return s, nil
	}
	delay := int64(0)
	if ms := options[logical.OptionDelayMs]; ms != "" {
		n, err := strconv.ParseInt(ms, 10, 64)
		if err != nil || n < 0 {
			return nil, usererr.New("INVALID_TABLE_OPTION", "42616", "The option %s of table `%s` is no number of milliseconds: %q.", logical.OptionDelayMs, s.Table.Name(), ms)
		}
		delay = n * 1000
	}
	for _, at := range s.Attrs {
		if equalFold(at.Name, name) {
			return &logical.Watermark{Col: at, Delay: delay, Child: s}, nil
		}
	}
	return nil, usererr.New("INVALID_TABLE_OPTION", "42616", "The event time `%s` of table `%s` is none of its columns.", name, s.Table.Name()).
		WithFix("Set %s to a TIMESTAMP column.", logical.OptionEventTime)
}

// watermark resolves an explicit watermark, which takes the place of the declared one below it.
func (a *analyzer) watermark(p *logical.Watermark) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	col, err := a.expr(p.Col, over(child))
	if err != nil {
		return nil, err
	}
	pos := expr.Pos{}
	if u, ok := p.Col.(*expr.UnresolvedAttr); ok {
		pos = u.Pos
	}
	if k := col.DataType().Kind; k != column.Timestamp {
		return nil, at(usererr.New("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09", "The event time %s has the invalid type %q, but expected \"TIMESTAMP\".", columnName(p.Col), strings.ToUpper(col.DataType().String())).
			WithFix("Cast the column to TIMESTAMP in a subquery first."), pos)
	}
	child = withoutWatermark(child)
	if _, ok := col.(*expr.Attr); !ok {
		l := &expr.Alias{Child: col, Name: columnName(p.Col), ID: expr.NewID()}
		child = &logical.Project{List: append(attrExprs(child.Output()), l), Child: child}
		col = logical.AttrOf(l)
	}
	return &logical.Watermark{Col: col, Delay: p.Delay, Child: child}, nil
}

// withoutWatermark removes a watermark between p and its source, through nodes that have one child.
func withoutWatermark(p logical.Plan) logical.Plan {
	if w, ok := p.(*logical.Watermark); ok {
		return withoutWatermark(w.Child)
	}
	switch p.(type) {
	case *logical.SubqueryAlias, *logical.PlanID, *logical.Project, *logical.Filter, *logical.Repartition, *logical.Sample, *logical.Generate:
		kid := p.Children()[0]
		if n := withoutWatermark(kid); n != kid {
			return p.WithChildren([]logical.Plan{n})
		}
	}
	return p
}

// alias checks the column names of t AS a(x, y).
func (a *analyzer) alias(p *logical.SubqueryAlias) (logical.Plan, error) {
	child, err := a.plan(p.Child)
	if err != nil {
		return nil, err
	}
	if n := len(logical.Visible(child.Output())); len(p.Names) > 0 && n != len(p.Names) {
		return nil, usererr.New("ASSIGNMENT_ARITY_MISMATCH", "42802", "The alias %s names %d columns, but there are %d.", p.Alias, len(p.Names), n).
			WithFix("Name all columns, or none.")
	}
	return &logical.SubqueryAlias{Alias: p.Alias, Names: p.Names, Child: child}, nil
}
