package driver

import (
	"context"
	"fmt"
	"regexp"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/stream"
)

// showSchema is the schema of what SHOW prints.
func showSchema(what string) *column.Schema {
	flag := func(name string) column.Field { return column.Field{Name: name, Type: column.Of(column.Bool)} }
	switch what {
	case "tables":
		s := text("namespace", "tableName")
		s.Fields = append(s.Fields, flag("isTemporary"))
		return s
	case "views":
		s := text("namespace", "viewName")
		s.Fields = append(s.Fields, flag("isTemporary"))
		return s
	case "functions", "user functions":
		return text("function")
	case "databases":
		return text("namespace")
	case "table extended":
		s := text("namespace", "tableName")
		s.Fields = append(s.Fields, flag("isTemporary"), column.Field{Name: "information", Type: column.Of(column.String)})
		return s
	case "properties":
		return text("key", "value")
	case "partitions":
		return text("partition")
	case "cached":
		return text("name")
	case "catalogs":
		return text("catalog")
	case "current database":
		return text("catalog", "namespace")
	case "database":
		return text("info_name", "info_value")
	case "columns":
		return text("col_name")
	case "create table":
		return text("createtab_stmt")
	case "function":
		return text("function_desc")
	case "query":
		return text("property", "value")
	case "savepoints":
		return savepointsSchema()
	case "why":
		return whySchema()
	case "why json":
		return text("json")
	case "queries":
		s := text("name", "status", "sink")
		for _, n := range []string{"batch", "rowsIn", "rowsLate", "rowsDead"} {
			s.Fields = append(s.Fields, column.Field{Name: n, Type: column.Of(column.Int64), Nullable: true})
		}
		return s
	}
	return column.NewSchema()
}

// show carries out SHOW.
func (s *Session) show(ctx context.Context, p *logical.Show) (structured.Rows, error) {
	match, err := pattern(p.Pattern)
	if err != nil {
		return nil, err
	}
	schema := showSchema(p.What)
	switch p.What {
	case "tables", "views":
		rows, err := s.entries(ctx, p, match)
		if err != nil {
			return nil, err
		}
		return table(schema, rows...)
	case "functions":
		return table(schema, append(functionNames(match), s.userFunctionNames(match)...)...)
	case "user functions":
		return table(schema, s.userFunctionNames(match)...)
	case "databases", "catalogs", "current database", "database", "properties", "partitions", "table extended":
		return s.showDefinition(ctx, p, match)
	case "columns":
		t, err := s.readable(ctx, p.Name, p.Pos)
		if err != nil {
			return nil, err
		}
		var rows [][]any
		for _, f := range visible(t).Fields {
			rows = append(rows, []any{f.Name})
		}
		return table(schema, rows...)
	case "create table":
		t, err := s.readable(ctx, p.Name, p.Pos)
		if err != nil {
			return nil, err
		}
		return table(schema, []any{createStatement(t, strings.Join(p.Name, "."))})
	case "cached":
		if c, key := s.cacheOf(ctx, p.Name); c.get(key) != nil {
			return table(schema, []any{key})
		}
		return table(schema)
	case "queries":
		return table(schema, s.engine.queryRows()...)
	case "function":
		return s.describeFunction(p)
	case "query":
		return s.describeQuery(p)
	case "savepoints":
		rows, err := s.engine.savepointRows(ctx, strings.Join(p.Name, "."))
		if err != nil {
			return nil, err
		}
		return table(schema, rows...)
	case "why", "why json":
		return s.explainQuery(ctx, p, p.What == "why json")
	}
	return nil, usererr.New("UNSUPPORTED_FEATURE.SHOW", "0A000", "SHOW %s is not supported.", strings.ToUpper(p.What)).At(p.Pos.Line, p.Pos.Col)
}

// pattern compiles Spark's LIKE pattern of SHOW: * for anything, | between alternatives.
func pattern(p string) (func(string) bool, error) {
	if p == "" {
		return func(string) bool { return true }, nil
	}
	var alts []string
	for _, a := range strings.Split(p, "|") {
		a = strings.NewReplacer("%", "*", "_", "?").Replace(a)
		q := regexp.QuoteMeta(a)
		alts = append(alts, strings.NewReplacer(`\*`, ".*", `\?`, ".").Replace(q))
	}
	re, err := regexp.Compile("(?i)^(" + strings.Join(alts, "|") + ")$")
	if err != nil {
		return nil, err
	}
	return re.MatchString, nil
}

// entries lists tables or views of a database, then the session's temporary views. SHOW TABLES lists views too, as Spark does.
func (s *Session) entries(ctx context.Context, p *logical.Show, match func(string) bool) ([][]any, error) {
	c := s.engine.opts.Catalog
	in := s.currentDatabase()
	if len(p.Name) > 0 {
		in = catalog.Name(p.Name, "")
	}
	db, ok := c.Database(in)
	if !ok {
		return nil, placed(c.NoDatabase(in), p.Pos, "")
	}
	list, err := c.List(ctx)
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, e := range list {
		of, name := c.DatabaseOf(e.Name)
		if of == db.Name && match(name) && (p.What == "tables" || e.Kind == "view") {
			rows = append(rows, []any{db.Name, name, false})
		}
	}
	for _, v := range s.views.Names() {
		if match(v) {
			rows = append(rows, []any{"", v, true})
		}
	}
	return rows, nil
}

func functionNames(match func(string) bool) [][]any {
	var names []string
	for _, f := range expr.Functions() {
		if match(f.Name) {
			names = append(names, f.Name)
		}
	}
	sort.Strings(names)
	rows := make([][]any, len(names))
	for i, n := range names {
		rows[i] = []any{n}
	}
	return rows
}

// readable opens a table or view by name, to describe it.
func (s *Session) readable(ctx context.Context, parts []string, pos expr.Pos) (logical.Table, error) {
	for _, name := range catalog.Names(parts, s.currentDatabase()) {
		if t, ok, err := s.engine.opts.Catalog.Table(ctx, name); ok || err != nil {
			return t, placed(err, pos, "")
		}
	}
	return nil, placed(catalog.NotFound(ctx, s.engine.opts.Catalog, s.views, strings.Join(parts, ".")), pos, "")
}

// visible are a table's columns without the hidden ones.
func visible(t logical.Table) *column.Schema {
	f := t.Schema().Fields
	return &column.Schema{Fields: f[:len(f)-t.Hidden()]}
}

func createStatement(t logical.Table, name string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s (\n", name)
	for i, f := range visible(t).Fields {
		sep := ","
		if i == visible(t).Len()-1 {
			sep = ""
		}
		fmt.Fprintf(&b, "  %s %s%s\n", f.Name, strings.ToUpper(f.Type.String()), sep)
	}
	fmt.Fprintf(&b, ") USING %s", t.Provider())
	var opts []string
	for k, v := range shownOptions(t) {
		opts = append(opts, fmt.Sprintf("%s '%s'", k, strings.ReplaceAll(v, "'", "''")))
	}
	sort.Strings(opts)
	if len(opts) > 0 {
		fmt.Fprintf(&b, "\nOPTIONS (%s)", strings.Join(opts, ", "))
	}
	return b.String()
}

// describe prints the columns of a table, view or query.
func (s *Session) describe(ctx context.Context, p *logical.Describe, src string) (structured.Rows, error) {
	q := p.Query
	if q == nil {
		q = &logical.UnresolvedTable{Parts: p.Name, Pos: p.Pos}
	}
	analysed, err := optimize.Analyze(ctx, q, s.env(src, ""))
	if err != nil {
		return nil, err
	}
	var rows [][]any
	for _, a := range analysed.Output() {
		rows = append(rows, []any{a.Name, a.Typ.String(), nil})
	}
	if p.Extended && p.Query == nil {
		if t, err := s.readable(ctx, p.Name, p.Pos); err == nil {
			rows = append(rows, []any{"", "", nil}, []any{"# Detailed Table Information", "", nil}, []any{"Name", t.Name(), nil}, []any{"Provider", t.Provider(), nil})
			for _, k := range sortedKeys(shownOptions(t)) {
				rows = append(rows, []any{k, t.Options()[k], nil})
			}
		}
	}
	return table(text("col_name", "data_type", "comment"), rows...)
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// queryRows are the lines of SHOW QUERIES: every query that has a record, running here or not.
func (e *Engine) queryRows() [][]any {
	var rows [][]any
	for _, r := range e.opts.Queries.Queries() {
		if isBatch(r.Name) || r.Epoch == 0 && r.Status == stream.Running { // the latter has not begun
			continue
		}
		sink := "client"
		e.mu.Lock()
		if q := e.running[r.Name]; q != nil {
			sink = q.sinkName()
		}
		e.mu.Unlock()
		var batch any
		if r.Committed != nil {
			batch = r.Committed.Batch
		}
		rows = append(rows, []any{r.Name, statusOf(&r), sink, batch, r.Totals["rows.in"], r.Totals["rows.late"], r.Totals["rows.dead"]})
	}
	return rows
}

// statusOf is a query's status in words.
func statusOf(r *stream.Record) string {
	if r.Paused && r.Status == stream.Running {
		return "paused"
	}
	return r.Status
}

// describeFunction is DESCRIBE FUNCTION: what the function table says, or CREATE FUNCTION said.
func (s *Session) describeFunction(p *logical.Show) (structured.Rows, error) {
	name := strings.Join(p.Name, ".")
	f, ok := expr.Lookup(name)
	if own, has := s.function(catalog.Name(strings.Split(name, "."), s.currentDatabase())); has && (!ok || f.Group == expr.UserGroup) {
		return describeOwn(own)
	}
	if !ok {
		e := usererr.New("UNRESOLVED_ROUTINE", "42883", "There is no function %s.", name).At(p.Pos.Line, p.Pos.Col)
		var names []string
		for _, f := range expr.Functions() {
			names = append(names, f.Name)
		}
		if near := usererr.Nearest(name, names, 1); len(near) > 0 {
			e.WithFix("Did you mean %s?", near[0])
		}
		return nil, e
	}
	rows := [][]any{{"Function: " + f.Name}, {"Usage: " + f.Usage + " - " + f.Doc}}
	if f.Example != "" {
		rows = append(rows, []any{"Example: " + f.Example})
	}
	return table(text("function_desc"), rows...)
}

// describeQuery is DESCRIBE STREAMING QUERY: the query's record.
func (s *Session) describeQuery(p *logical.Show) (structured.Rows, error) {
	name := strings.Join(p.Name, ".")
	r, ok := s.engine.opts.Queries.Query(name)
	if !ok {
		_, err := s.engine.find(name)
		return nil, placed(err, p.Pos, "")
	}
	rows := [][]any{{"name", r.Name}, {"id", r.ID}, {"status", statusOf(&r)}, {"epoch", fmt.Sprint(r.Epoch)}}
	if r.Error != "" {
		rows = append(rows, []any{"error", r.Error})
	}
	if c := r.Committed; c != nil {
		rows = append(rows, []any{"last committed batch", fmt.Sprint(c.Batch)})
		for _, source := range sortedKeys(c.Offsets) {
			rows = append(rows, []any{"read up to, " + source, fmt.Sprint(c.Offsets[source])})
		}
	}
	for _, k := range sortedKeys(r.Totals) {
		rows = append(rows, []any{k, fmt.Sprint(r.Totals[k])})
	}
	return table(text("property", "value"), rows...)
}
