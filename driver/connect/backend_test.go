package connect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// fakeBackend is an engine just large enough for the wire: it runs projections and filters over ranges and local rows in
// one go, keeps views, and has streaming queries that do what a test says.
type fakeBackend struct {
	analyzed []string // tables of ANALYZE TABLE
	conf     structured.MemConf

	mu      sync.Mutex
	views   map[string]logical.Plan
	queries []structured.QueryHandle
	plans   []logical.Plan // what was executed
	closed  bool

	block chan struct{} // when not nil, Execute waits for it or for the context
}

func newFake() *fakeBackend { return &fakeBackend{views: map[string]logical.Plan{}} }

func (f *fakeBackend) Conf() structured.Conf { return &f.conf }

func (f *fakeBackend) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fakeBackend) Explain(_ context.Context, p logical.Plan, mode string) (string, error) {
	if id, ok := p.(*logical.PlanID); ok {
		p = id.Child
	}
	return "== " + mode + " ==\n" + p.String(), nil
}

func (f *fakeBackend) Analyze(ctx context.Context, p logical.Plan) (*structured.Analysis, error) {
	p, err := f.parsed(p)
	if err != nil {
		return nil, err
	}
	if logical.IsCommand(p) {
		return &structured.Analysis{Command: true}, nil
	}
	b, err := f.eval(ctx, p)
	if err != nil {
		return nil, err
	}
	streaming := false
	logical.Walk(p, func(n logical.Plan) bool {
		if t, ok := n.(*logical.UnresolvedTable); ok {
			streaming = streaming || t.Streaming
		}
		return true
	})
	return &structured.Analysis{Schema: b.Schema, Streaming: streaming}, nil
}

func (f *fakeBackend) parsed(p logical.Plan) (logical.Plan, error) {
	if id, ok := p.(*logical.PlanID); ok {
		p = id.Child
	}
	t, ok := p.(*logical.SQLText)
	if !ok {
		return p, nil
	}
	return sql.ParseWith(t.Text, sql.Params{Positional: t.Args, Named: t.Named})
}

func (f *fakeBackend) Execute(ctx context.Context, p logical.Plan, opts structured.ExecOptions) (structured.Rows, error) {
	f.mu.Lock()
	f.plans = append(f.plans, p)
	block := f.block
	f.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	p, err := f.parsed(p)
	if err != nil {
		return nil, err
	}
	if logical.IsCommand(p) {
		b, err := f.command(p)
		if err != nil {
			return nil, err
		}
		return &fakeRows{schema: b.Schema, all: b}, nil
	}
	b, err := f.eval(ctx, p)
	if err != nil {
		return nil, err
	}
	if opts.Progress != nil {
		opts.Progress(structured.Progress{Running: 1, Stages: []structured.StageProgress{{Tasks: 2, Completed: 1}}})
	}
	return &fakeRows{schema: b.Schema, all: b, counters: map[string]int64{"rows.read": int64(b.N)}}, nil
}

func (f *fakeBackend) command(p logical.Plan) (*column.Batch, error) {
	nothing := column.Concat(column.NewSchema(), nil)
	f.mu.Lock()
	defer f.mu.Unlock()
	switch p := p.(type) {
	case *logical.CreateView:
		f.views[p.Name[len(p.Name)-1]] = p.Query
	case *logical.Drop:
		name := p.Name[len(p.Name)-1]
		if f.views[name] == nil && !p.IfExists {
			return nil, notFoundTable(name)
		}
		delete(f.views, name)
	case *logical.Use:
		if p.Name[len(p.Name)-1] != theDatabase {
			return nil, notFound("SCHEMA_NOT_FOUND", "42704", "schema", p.Name[0])
		}
	case *logical.Show:
		if p.What == "cached" {
			return column.FromRows(column.NewSchema(text("name", false)))
		}
		if p.What == "databases" || p.What == "current database" {
			return column.FromRows(column.NewSchema(text("namespace", false)), []any{theDatabase})
		}
		schema := column.NewSchema(text("namespace", false), text("tableName", false), boolean("isTemporary"))
		var rows [][]any
		for _, name := range sortedKeys(f.views) {
			rows = append(rows, []any{"", name, true})
		}
		return column.FromRows(schema, rows...)
	case *logical.SetConf:
		if p.Value != nil {
			if err := f.conf.Set(context.Background(), p.Key, *p.Value); err != nil {
				return nil, err
			}
			return column.FromRows(column.NewSchema(text("key", false), text("value", false)), []any{p.Key, *p.Value})
		}
	case *logical.AnalyzeTable:
		f.analyzed = append(f.analyzed, p.String())
	case *logical.InsertInto, *logical.CreateTable, *logical.WriteTo, *logical.CacheTable, *logical.Uncache:
	default:
		return nil, fmt.Errorf("fake: command %s", p)
	}
	return nothing, nil
}

func notFoundTable(name string) error {
	return usererr.New("TABLE_OR_VIEW_NOT_FOUND", "42P01", "The table or view `%s` cannot be found.", name).With("relationName", "`"+name+"`")
}

func (f *fakeBackend) eval(ctx context.Context, p logical.Plan) (*column.Batch, error) {
	switch p := p.(type) {
	case *logical.Cached:
		return f.eval(ctx, p.Child)
	case *logical.PlanID:
		return f.eval(ctx, p.Child)
	case *logical.SQLText:
		q, err := f.parsed(p)
		if err != nil {
			return nil, err
		}
		return f.eval(ctx, q)
	case *logical.Local:
		return column.Concat(p.Schema, p.Batches), nil
	case *logical.Range:
		var rows [][]any
		for v := p.Start; v < p.End; v += p.Step {
			rows = append(rows, []any{v})
		}
		return column.FromRows(column.NewSchema(column.Field{Name: "id", Type: column.Of(column.Int64)}), rows...)
	case *logical.UnresolvedValues:
		return column.NewBatch(column.NewSchema(), len(p.Rows)), nil
	case *logical.UnresolvedTable:
		f.mu.Lock()
		q := f.views[p.Parts[len(p.Parts)-1]]
		f.mu.Unlock()
		if q == nil {
			return nil, notFoundTable(p.Parts[len(p.Parts)-1])
		}
		return f.eval(ctx, q)
	case *logical.SubqueryAlias:
		return f.eval(ctx, p.Child)
	case *logical.Run:
		return f.eval(ctx, p.Child)
	case *logical.Limit:
		b, err := f.eval(ctx, p.Child)
		if err != nil || int64(b.N) <= p.N || p.N < 0 {
			return b, err
		}
		return b.Slice(0, int(p.N)), nil
	case *logical.Project:
		b, err := f.eval(ctx, p.Child)
		if err != nil {
			return nil, err
		}
		return f.project(p, b)
	case *logical.Filter:
		b, err := f.eval(ctx, p.Child)
		if err != nil {
			return nil, err
		}
		cond, err := f.compute(p.Cond, b)
		if err != nil {
			return nil, err
		}
		return column.TakeBatch(nil, b, column.SelectTrue(nil, cond, b.N)), nil
	}
	if x, ok := p.(logical.Expander); ok {
		return f.expand(ctx, x)
	}
	return nil, unsupported("FAKE", "The relation %s", p)
}

func (f *fakeBackend) expand(ctx context.Context, x logical.Expander) (*column.Batch, error) {
	b, err := f.eval(ctx, x.Children()[0])
	if err != nil {
		return nil, err
	}
	out, err := x.WithChildren([]logical.Plan{newLocal(b.Schema, []*column.Batch{b})}).(logical.Expander).Expand()
	if err != nil {
		return nil, err
	}
	return f.eval(ctx, out)
}

func (f *fakeBackend) project(p *logical.Project, b *column.Batch) (*column.Batch, error) {
	out := column.NewBatch(&column.Schema{}, b.N)
	for _, e := range p.List {
		if _, ok := e.(*expr.Star); ok {
			out.Schema.Fields, out.Cols = append(out.Schema.Fields, b.Schema.Fields...), append(out.Cols, b.Cols...)
			continue
		}
		e, err := parsedExpr(e)
		if err != nil {
			return nil, err
		}
		name := e.String()
		if a, ok := e.(*expr.Attr); ok {
			name = a.Name
		}
		if a, ok := e.(*expr.Alias); ok {
			name, e = a.Name, a.Child
		}
		if u, ok := e.(*expr.UnresolvedAttr); ok {
			name = u.Parts[len(u.Parts)-1]
		}
		v, err := f.compute(e, b)
		if err != nil {
			return nil, err
		}
		name, _, _ = strings.Cut(name, "#")
		out.Schema.Fields = append(out.Schema.Fields, column.Field{Name: strings.Trim(name, "'"), Type: v.Type, Nullable: true})
		out.Cols = append(out.Cols, v)
	}
	return out, nil
}

// parsedExpr reads the SQL texts in an expression.
func parsedExpr(e expr.Expr) (expr.Expr, error) {
	return expr.TransformErr(e, func(x expr.Expr) (expr.Expr, error) {
		if t, ok := x.(*logical.SQLExpr); ok {
			return sql.ParseExpr(t.Text)
		}
		return x, nil
	})
}

// compute resolves an expression against the batch's columns and evaluates it.
func (f *fakeBackend) compute(e expr.Expr, b *column.Batch) (*column.Vector, error) {
	attrs := make([]*expr.Attr, b.Schema.Len())
	for i, c := range b.Schema.Fields {
		attrs[i] = &expr.Attr{ID: expr.NewID(), Name: c.Name, Typ: c.Type, Null: c.Nullable}
	}
	e, err := parsedExpr(e)
	if err != nil {
		return nil, err
	}
	e, err = expr.TransformErr(e, func(x expr.Expr) (expr.Expr, error) {
		switch x := x.(type) {
		case *expr.UnresolvedAttr:
			if i := b.Schema.Index(x.Parts[len(x.Parts)-1]); i >= 0 {
				return attrs[i], nil
			}
			return nil, usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column, variable, or function parameter with name `%s` cannot be resolved.", x.Parts[0]).
				With("objectName", "`"+x.Parts[0]+"`").With("proposal", "`id`")
		case *expr.Attr:
			if i := b.Schema.Index(x.Name); i >= 0 {
				return attrs[i], nil
			}
		case *expr.UnresolvedCall:
			return expr.ResolveCall(x)
		}
		return x, nil
	})
	if err != nil {
		return nil, err
	}
	bound, err := expr.Bind(e, attrs)
	if err != nil {
		return nil, err
	}
	prog, err := expr.Compile(bound)
	if err != nil {
		return nil, err
	}
	v, err := prog.Eval(&expr.Context{ANSI: true, Now: time.Now().UnixMicro()}, b)
	if err != nil {
		return nil, err
	}
	return column.NewBatch(column.NewSchema(column.Field{Name: "x", Type: v.Type, Nullable: true}), b.N, v).Clone().Cols[0], nil
}

// fakeRows gives a result in batches of at most fakeBatch rows.
type fakeRows struct {
	schema   *column.Schema
	all      *column.Batch
	at       int
	counters map[string]int64
}

const fakeBatch = 1000

func (r *fakeRows) Schema() *column.Schema     { return r.schema }
func (r *fakeRows) Counters() map[string]int64 { return r.counters }
func (r *fakeRows) Close() error               { return nil }
func (r *fakeRows) Next(ctx context.Context) (*column.Batch, error) {
	if r.at >= r.all.N {
		return nil, io.EOF
	}
	to := min(r.at+fakeBatch, r.all.N)
	b := r.all.Slice(r.at, to)
	r.at = to
	return b, ctx.Err()
}

func (f *fakeBackend) StartQuery(_ context.Context, q *logical.CreateStream) (structured.QueryHandle, error) {
	h := &fakeQuery{id: uuid.NewString(), run: uuid.NewString(), spec: q, ended: make(chan struct{})}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queries = append(f.queries, h)
	return h, nil
}

func (f *fakeBackend) Queries(context.Context) ([]structured.QueryHandle, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]structured.QueryHandle{}, f.queries...), nil
}

// fakeQuery is a streaming query that ends when a test says so.
type fakeQuery struct {
	id, run string
	spec    *logical.CreateStream
	ended   chan struct{}

	mu       sync.Mutex
	once     sync.Once
	err      error
	progress []structured.QueryProgress
}

func (q *fakeQuery) ID() string    { return q.id }
func (q *fakeQuery) RunID() string { return q.run }
func (q *fakeQuery) Name() string  { return q.spec.Name }

func (q *fakeQuery) end(err error) {
	q.once.Do(func() {
		q.mu.Lock()
		q.err = err
		q.mu.Unlock()
		close(q.ended)
	})
}

func (q *fakeQuery) batch(id, rows int64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.progress = append(q.progress, structured.QueryProgress{ID: q.id, RunID: q.run, Name: q.spec.Name, BatchID: id, InputRows: rows,
		Sources: []structured.SourceProgress{{Description: "fake", End: `{"t":{"0":5}}`, InputRows: rows}}, Sink: structured.SinkProgress{Description: q.spec.Format, OutputRows: -1}})
}

func (q *fakeQuery) active() bool {
	select {
	case <-q.ended:
		return false
	default:
		return true
	}
}

func (q *fakeQuery) Status(context.Context) (structured.QueryStatus, error) {
	if q.active() {
		return structured.QueryStatus{Message: "Waiting for data to arrive", Active: true}, nil
	}
	return structured.QueryStatus{Message: "Stopped"}, nil
}

func (q *fakeQuery) Recent(context.Context) ([]structured.QueryProgress, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return append([]structured.QueryProgress{}, q.progress...), nil
}

func (q *fakeQuery) Stop(context.Context) error { q.end(nil); return nil }

func (q *fakeQuery) Await(ctx context.Context) error {
	select {
	case <-q.ended:
		err, _ := q.Err(ctx)
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (q *fakeQuery) ProcessAllAvailable(context.Context) error { return nil }

func (q *fakeQuery) Err(context.Context) (error, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err, nil
}

func (q *fakeQuery) Explain(_ context.Context, extended bool) (string, error) {
	return fmt.Sprintf("extended=%t", extended), nil
}

var errFake = errors.New("the disk is gone")
