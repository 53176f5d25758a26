package driver

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
)

// command carries out a plan that does something besides producing rows. original is the plan as the client sent it.
func (s *Session) command(ctx context.Context, p logical.Plan, run *logical.Run, original logical.Plan, opts structured.ExecOptions, src string) (structured.Rows, error) {
	switch p := p.(type) {
	case *logical.InsertInto:
		return s.insert(ctx, p, run, src)
	case *logical.WriteTo:
		return s.writeTo(ctx, p, run, src)
	case *logical.CreateTable:
		return s.createTable(ctx, p, run, src)
	case *logical.CreateView:
		return nothing(), s.createView(ctx, p, src)
	case *logical.Drop:
		return nothing(), s.drop(ctx, p)
	case *logical.Show:
		return s.show(ctx, p)
	case *logical.Describe:
		return s.describe(ctx, p, src)
	case *logical.AnalyzeTable:
		return nothing(), s.analyzeTable(ctx, p, src)
	case *logical.Explain:
		return s.explain(ctx, p, run, src)
	case *logical.SetConf:
		return s.setConf(ctx, p)
	case *logical.Use:
		return nothing(), s.use(p)
	case *logical.AlterTable:
		return nothing(), placed(s.alter(ctx, p, src), p.Pos, src)
	case *logical.CreateDatabase:
		return nothing(), placed(s.createDatabase(ctx, p), p.Pos, src)
	case *logical.DropDatabase:
		return nothing(), placed(s.dropDatabase(ctx, p), p.Pos, src)
	case *logical.CreateFunction:
		return nothing(), placed(s.createFunction(ctx, p, opts.Artifact, src), p.Pos, src)
	case *logical.DropFunction:
		return nothing(), placed(s.dropFunction(ctx, p), p.Pos, src)
	case *logical.Refresh:
		rows, err := s.refresh(ctx, p)
		return rows, placed(err, p.Pos, src)
	case *logical.CacheTable:
		return nothing(), placed(s.cacheTable(ctx, p, src), p.Pos, src)
	case *logical.Uncache:
		return nothing(), placed(s.uncache(ctx, p), p.Pos, src)
	case *logical.Delete, *logical.Update, *logical.Merge:
		return s.rewrite(ctx, p, src)
	case *logical.CreateStream:
		return s.createStream(ctx, p, original)
	case *logical.CreateMaterialized:
		return nothing(), placed(s.createMaterialized(ctx, p, original, src), p.Pos, src)
	case *logical.DropMaterialized:
		return nothing(), placed(s.engine.dropMaterialized(ctx, p), p.Pos, src)
	case *logical.ManageStream:
		rows, err := s.manage(ctx, p)
		return rows, placed(err, p.Pos, src)
	case *logical.StopStream:
		return nothing(), placed(s.stopStream(ctx, p), p.Pos, src)
	}
	return nil, fmt.Errorf("driver: no way to run %T", p)
}

// stopStream stops a query, and forgets it when it is dropped.
func (s *Session) stopStream(ctx context.Context, p *logical.StopStream) error {
	q, err := s.engine.find(p.Name)
	if err != nil {
		if _, kept := s.engine.opts.Queries.Query(p.Name); kept && p.Drop {
			return s.engine.forget(ctx, p.Name)
		}
		if p.Drop && p.IfExists {
			return nil
		}
		return err
	}
	if err := q.Stop(ctx); err != nil || !p.Drop {
		return err
	}
	return s.engine.drop(ctx, q)
}

// commandSchema is the schema of what a command prints.
func commandSchema(p logical.Plan) *column.Schema {
	switch p := p.(type) {
	case *logical.Show:
		return showSchema(p.What)
	case *logical.Describe:
		return text("col_name", "data_type", "comment")
	case *logical.Explain:
		if p.Mode == "check" {
			return checkSchema()
		}
		return text("plan")
	case *logical.SetConf:
		return text("key", "value")
	case *logical.CreateStream:
		return text("id", "name")
	case *logical.ManageStream:
		return manageSchema(p.Do)
	}
	return column.NewSchema()
}

// placed gives a user's error a position, if it has none.
func placed(err error, pos expr.Pos, src string) error {
	if u, ok := usererr.As(err); ok && u.Line == 0 && pos.Line > 0 {
		u.At(pos.Line, pos.Col)
		u.Text = src
	}
	return err
}

func (s *Session) createStream(ctx context.Context, p *logical.CreateStream, original logical.Plan) (structured.Rows, error) {
	start := s.startQuery
	if p.Replace {
		start = s.replaceQuery
	}
	q, err := start(ctx, p, original)
	if err != nil {
		return nil, err
	}
	return table(text("id", "name"), []any{q.id, q.name})
}

// createTable declares a table, and fills it when it has a query.
func (s *Session) createTable(ctx context.Context, p *logical.CreateTable, run *logical.Run, src string) (structured.Rows, error) {
	c := s.engine.opts.Catalog
	name, err := s.newName(p.Name)
	if err != nil {
		return nil, placed(err, p.Pos, src)
	}
	if _, ok, err := c.Table(ctx, name); err == nil && ok && p.IfNotExists {
		return nothing(), nil
	}
	def, err := s.tableDef(p, name)
	if err != nil {
		return nil, placed(err, p.Pos, src)
	}
	var query logical.Plan
	if p.As != nil {
		analysed, err := s.analyse(ctx, p, src, run)
		if err != nil {
			return nil, err
		}
		query = analysed.Children()[0]
		def.Schema = schemaOf(query.Output())
	}
	if old, ok, _ := c.Definition(name); ok && p.OrReplace && p.As == nil && old.Options[catalog.OptionManaged] == "true" {
		if err := c.Drop(ctx, name, false); err != nil { // its rows go too; a query's rows take their place when they are there
			return nil, err
		}
	}
	if err := c.CreateTable(ctx, def); err != nil {
		return nil, placed(err, p.Pos, src)
	}
	if query == nil {
		return nothing(), nil
	}
	target, err := s.table(ctx, p.Name, p.Pos)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, query, target, p.OrReplace, run)
}

func (s *Session) tableDef(p *logical.CreateTable, name string) (catalog.TableDef, error) {
	def := catalog.TableDef{Name: name, Provider: p.Provider, Options: map[string]string{}, Replace: p.OrReplace}
	for k, v := range p.Options {
		def.Options[k] = v
	}
	if def.Provider == "" {
		def.Provider = "topic"
	}
	if p.Location != "" {
		def.Options["path"] = p.Location
	}
	if w := s.engine.opts.Warehouse; def.Options["path"] == "" && w != "" && fileProviders[def.Provider] {
		def.Options["path"], def.Options[catalog.OptionManaged] = filepath.Join(w, strings.ToLower(name)), "true"
	}
	if len(p.Columns) > 0 {
		def.Schema = &column.Schema{Fields: p.Columns}
	}
	if w := p.Watermark; w != nil {
		col := watermarkColumn(w.Col)
		if def.Schema == nil || def.Schema.Index(col) < 0 {
			return def, usererr.New("UNRESOLVED_COLUMN.WATERMARK", "42703", "The watermark's column %s is not a column of table %s.", col, name).WithFix("Declare it as a TIMESTAMP column.")
		}
		if f := def.Schema.Fields[def.Schema.Index(col)]; f.Type.Kind != column.Timestamp {
			return def, usererr.New("EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09", "The event time %s is %s, not timestamp.", col, f.Type)
		}
		def.EventTime, def.Delay = col, w.Delay
	}
	return def, nil
}

// fileProviders are those that keep a table where the node chooses when it has no LOCATION.
var fileProviders = map[string]bool{"parquet": true, "csv": true, "json": true, "text": true}

func watermarkColumn(e expr.Expr) string {
	switch e := e.(type) {
	case *expr.UnresolvedAttr:
		return e.Parts[len(e.Parts)-1]
	case *expr.Attr:
		return e.Name
	}
	return e.String()
}

func (s *Session) createView(ctx context.Context, p *logical.CreateView, src string) error {
	analysed, err := optimize.Analyze(ctx, p, s.env(src, ""))
	if err != nil {
		return err
	}
	v := analysed.(*logical.CreateView)
	if v.Temporary {
		if _, err := s.cache.drop(optimize.ViewKey(strings.Join(v.Name, "."))); err != nil {
			return err
		}
		return placed(s.views.Put(strings.Join(v.Name, "."), v.Query, v.OrReplace), p.Pos, src)
	}
	name, err := s.newName(v.Name)
	if err != nil {
		return placed(err, p.Pos, src)
	}
	return placed(s.engine.opts.Catalog.CreateView(ctx, name, v.SQL, v.OrReplace), p.Pos, src)
}

func (s *Session) drop(ctx context.Context, p *logical.Drop) error {
	if name := strings.Join(p.Name, "."); p.View && s.views.Drop(name) {
		_, err := s.cache.drop(optimize.ViewKey(name))
		return err
	}
	name := s.existingName(ctx, p.Name)
	err := s.engine.opts.Catalog.Drop(ctx, name, p.View)
	if err == nil {
		_, err = s.engine.cache.drop(strings.ToLower(name))
		err = errors.Join(err, s.contentChanged(name))
	}
	if u, ok := usererr.As(err); ok && p.IfExists && u.Code == "TABLE_OR_VIEW_NOT_FOUND" {
		return nil
	}
	return placed(err, p.Pos, "")
}

func (s *Session) setConf(ctx context.Context, p *logical.SetConf) (structured.Rows, error) {
	switch {
	case p.Reset && p.Key == "":
		all, err := s.conf.All(ctx, "")
		for k := range all {
			if ok, _ := s.conf.Modifiable(ctx, k); ok && err == nil {
				err = s.conf.Unset(ctx, k)
			}
		}
		return nothing(), err
	case p.Reset:
		return nothing(), s.conf.Unset(ctx, p.Key)
	case p.Key == "":
		return s.listConf(ctx)
	case p.Value != nil:
		if err := s.conf.Set(ctx, p.Key, *p.Value); err != nil {
			return nil, err
		}
		return table(text("key", "value"), []any{p.Key, *p.Value})
	}
	v, ok, err := s.conf.Get(ctx, p.Key)
	if err != nil {
		return nil, err
	}
	if !ok {
		v = "<undefined>"
	}
	return table(text("key", "value"), []any{p.Key, v})
}

func (s *Session) listConf(ctx context.Context) (structured.Rows, error) {
	all, err := s.conf.All(ctx, "")
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for k, v := range all {
		rows = append(rows, []any{k, v})
	}
	sort.Slice(rows, func(i, j int) bool { return rows[i][0].(string) < rows[j][0].(string) })
	return table(text("key", "value"), rows...)
}

// Explain shows the stages of planning.
func (s *Session) Explain(ctx context.Context, plan logical.Plan, mode string) (string, error) {
	src := textOf(plan)
	p, err := parse(plan)
	if err != nil {
		return "", err
	}
	return s.explanation(ctx, p, mode, src)
}

func (s *Session) explain(ctx context.Context, p *logical.Explain, run *logical.Run, src string) (structured.Rows, error) {
	if p.Mode == "check" {
		query := p.Query
		if run != nil {
			query = &logical.Run{Name: run.Name, Live: true, Child: query}
		}
		rows, err := s.check(ctx, query, src)
		return rows, placed(err, expr.Pos{}, src)
	}
	out, err := s.explanation(ctx, p.Query, p.Mode, src)
	if err != nil {
		return nil, err
	}
	return table(text("plan"), []any{out})
}
