package driver

import (
	"context"
	"errors"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/sql"
)

// Session is one client's session: its settings and temporary views over the node's engine. It is a structured.Backend.
type Session struct {
	engine *Engine
	conf   structured.MemConf
	views  *catalog.Views
	funcs  catalog.Functions // temporary ones
	cache  cache             // of temporary views and DataFrames
	out    io.Writer         // where the console sink prints

	sink connector.Writer // of a query that is planned anew and has one that no other can stand for; nil for none

	mu       sync.Mutex
	ops      map[string]*operation
	database string // "" is the default one
}

var (
	_ structured.Backend     = (*Session)(nil)
	_ structured.Interrupter = (*Session)(nil)
)

// operation is something that a session is running.
type operation struct {
	tags   []string
	cancel context.CancelFunc
}

// NewSession opens a session. The console sink prints to out.
func (e *Engine) NewSession(out io.Writer) *Session {
	return &Session{engine: e, views: catalog.NewViews(), out: out, ops: map[string]*operation{}}
}

// Conf are the session's settings.
func (s *Session) Conf() structured.Conf { return &s.conf }

// Close cancels what the session runs. Streaming queries run on.
func (s *Session) Close() error {
	_, err := s.Interrupt(context.Background(), structured.Interrupt{})
	_, kept := s.cache.drop("")
	return errors.Join(err, kept)
}

// Interrupt cancels operations.
func (s *Session) Interrupt(_ context.Context, what structured.Interrupt) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var ended []string
	for id, op := range s.ops {
		if what.Operation != "" && id != what.Operation || what.Tag != "" && !contains(op.tags, what.Tag) {
			continue
		}
		op.cancel()
		ended = append(ended, id)
	}
	return ended, nil
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// enter registers an operation, so that it can be interrupted; leave ends it.
func (s *Session) enter(ctx context.Context, o structured.ExecOptions) (_ context.Context, leave func()) {
	ctx, cancel := context.WithCancel(ctx)
	id := o.Operation
	if id == "" {
		id = uuid.NewString()
	}
	s.mu.Lock()
	s.ops[id] = &operation{tags: o.Tags, cancel: cancel}
	s.mu.Unlock()
	return ctx, func() {
		cancel()
		s.mu.Lock()
		delete(s.ops, id)
		s.mu.Unlock()
	}
}

// Execute runs a query or carries out a command.
func (s *Session) Execute(ctx context.Context, plan logical.Plan, opts structured.ExecOptions) (structured.Rows, error) {
	ctx, leave := s.enter(ctx, opts)
	rows, err := s.executeObserved(ctx, plan, opts)
	if err != nil {
		leave()
		return nil, err
	}
	return &leaving{rows, leave}, nil
}

// leaving ends the operation when its rows are closed.
type leaving struct {
	structured.Rows
	leave func()
}

func (l *leaving) Close() error {
	err := l.Rows.Close()
	l.leave()
	return err
}

func (s *Session) execute(ctx context.Context, original logical.Plan, opts structured.ExecOptions) (structured.Rows, error) {
	text := textOf(original)
	plan, err := parse(original)
	if err != nil {
		return nil, err
	}
	run, inner := unwrap(plan)
	if ins, ok := inner.(*logical.InsertInto); ok && run != nil && run.Live {
		return s.liveInsert(ctx, run, ins, original)
	}
	if logical.IsCommand(inner) {
		return s.command(ctx, inner, run, original, opts, text)
	}
	if run != nil && run.Live || logical.IsStreaming(plan) || readsStream(plan) {
		return s.liveQuery(ctx, run, plan, text)
	}
	phys, err := s.plan(ctx, plan, text, run)
	if err != nil {
		return nil, err
	}
	return s.engine.run(ctx, phys, batchRun{name: nameOf(run), progress: opts.Progress})
}

func nameOf(r *logical.Run) string {
	if r == nil {
		return ""
	}
	return r.Name
}

// unwrap takes off a Run, if there is one.
func unwrap(p logical.Plan) (*logical.Run, logical.Plan) {
	if r, ok := p.(*logical.Run); ok {
		_, inner := unwrap(r.Child)
		return r, inner
	}
	if id, ok := p.(*logical.PlanID); ok {
		if r, inner := unwrap(id.Child); r != nil || logical.IsCommand(inner) {
			return r, inner
		}
	}
	return nil, p
}

// readsStream reports whether the plan marks some table as a stream.
func readsStream(p logical.Plan) bool {
	found := false
	logical.Walk(p, func(n logical.Plan) bool {
		if t, ok := n.(*logical.UnresolvedTable); ok && t.Streaming {
			found = true
		}
		return !found
	})
	return found
}

// textOf is the SQL text that positions of a plan point into, when it is SQL.
func textOf(p logical.Plan) (text string) {
	logical.Walk(p, func(n logical.Plan) bool {
		if t, ok := n.(*logical.SQLText); ok && text == "" {
			text = t.Text
		}
		return text == ""
	})
	return text
}

// parse replaces a statement in SQL at the top of a plan by its plan, so that commands can be told from queries. Text
// further down is parsed by the analyser.
func parse(p logical.Plan) (logical.Plan, error) {
	switch p := p.(type) {
	case *logical.SQLText:
		return sql.ParseWith(p.Text, sql.Params{Positional: p.Args, Named: p.Named})
	case *logical.Run:
		child, err := parse(p.Child)
		if err != nil {
			return nil, err
		}
		return p.WithChildren([]logical.Plan{child}), nil
	case *logical.PlanID:
		child, err := parse(p.Child)
		if err != nil {
			return nil, err
		}
		return p.WithChildren([]logical.Plan{child}), nil
	case *logical.With:
		return parseWith(p)
	}
	return p, nil
}

// parseWith parses a statement over relations that its client gave names: INSERT INTO t SELECT * FROM {frame}. Of a command they
// belong to the query inside.
func parseWith(p *logical.With) (logical.Plan, error) {
	child, err := parse(p.Child)
	if err != nil {
		return nil, err
	}
	c := *p
	c.Child = child
	if _, inner := unwrap(child); !logical.IsCommand(inner) {
		return p, nil // the analyser parses it where names are known
	} else if kids := inner.Children(); len(kids) == 1 {
		c.Child = kids[0]
		return inner.WithChildren([]logical.Plan{&c}), nil
	}
	return child, nil
}

// env is what the session's names are resolved against.
func (s *Session) env(text, mode string) optimize.Env {
	c := s.exprContext()
	return optimize.Env{Catalog: s.engine.opts.Catalog, Providers: s.engine.opts.Catalog.Providers(), Views: s.views, Text: text, Session: &c, OutputMode: mode, Rows: s.rowsOf,
		Database: s.currentDatabase(), Function: s.function}
}

func (s *Session) exprContext() expr.Context {
	ansi, _, _ := s.conf.Get(context.Background(), "spark.sql.ansi.enabled")
	return expr.Context{Location: s.location(), Now: time.Now().UnixMicro(), ANSI: ansi != "false"}
}

// location is the session's time zone, UTC unless it was set.
func (s *Session) location() *time.Location {
	name, _, _ := s.conf.Get(context.Background(), "spark.sql.session.timeZone")
	if loc, err := structured.LoadZone(name); err == nil {
		return loc
	}
	return time.UTC
}

// partsConf is the setting of the number of partitions after an exchange.
const partsConf = "streamflow.sql.partitions"

// parts is the number of partitions after an exchange: what the session asked for, else the node's.
func (s *Session) parts() int {
	if all, err := s.conf.All(context.Background(), partsConf); err == nil {
		if n, err := strconv.Atoi(all[partsConf]); err == nil && n > 0 {
			return n
		}
	}
	return s.engine.opts.Parts
}

// plan takes a batch query from names to operators. run is its bounds, nil for a query that is not run as a program.
func (s *Session) plan(ctx context.Context, p logical.Plan, text string, run *logical.Run) (*physical.Physical, error) {
	analysed, err := s.analyse(ctx, p, text, run)
	if err != nil {
		return nil, err
	}
	optimised, err := s.unfolded(ctx, optimize.Optimize(analysed))
	if err != nil {
		return nil, err
	}
	return s.physical(ctx, optimised, physical.Options{})
}

// analyse resolves a plan that is not a stream. A program over history treats late rows as it would live, so that both give
// the same answer; a plain query sees every row, as Spark's batch queries do: there the watermark means nothing.
func (s *Session) analyse(ctx context.Context, p logical.Plan, text string, run *logical.Run) (logical.Plan, error) {
	env := s.env(text, "")
	if run == nil {
		env.Cached = s.cachedTable
	}
	analysed, err := optimize.Analyze(ctx, p, env)
	if err != nil || run != nil {
		return analysed, err
	}
	return logical.TransformUp(analysed, func(n logical.Plan) logical.Plan {
		if w, ok := n.(*logical.Watermark); ok && !logical.IsStreaming(w) {
			return w.Child
		}
		return n
	}), nil
}

// physical plans an optimised query with the session's settings.
func (s *Session) physical(ctx context.Context, optimised logical.Plan, o physical.Options) (*physical.Physical, error) {
	c := s.exprContext()
	o.Location, o.Now, o.ANSI, o.Parts = c.Location, c.Now, c.ANSI, s.parts()
	conf, err := s.conf.All(ctx, "")
	if err != nil {
		return nil, err
	}
	o.Conf = conf
	return physical.Plan(ctx, optimised, o)
}

// Analyze resolves a plan.
func (s *Session) Analyze(ctx context.Context, plan logical.Plan) (*structured.Analysis, error) {
	text := textOf(plan)
	p, err := parse(plan)
	if err != nil {
		return nil, err
	}
	if _, inner := unwrap(p); logical.IsCommand(inner) {
		return &structured.Analysis{Schema: commandSchema(inner), Command: true}, nil
	}
	analysed, err := optimize.Analyze(ctx, p, s.env(text, ""))
	if err != nil {
		return nil, err
	}
	return &structured.Analysis{Schema: schemaOf(analysed.Output()), Streaming: logical.IsStreaming(analysed), Files: filesOf(analysed)}, nil
}

// filesOf are the paths of the file tables that a plan reads.
func filesOf(p logical.Plan) (files []string) {
	logical.Walk(p, func(n logical.Plan) bool {
		if scan, ok := n.(*logical.Scan); ok {
			if f, ok := scan.Table.(interface{ Files() []string }); ok {
				files = append(files, f.Files()...)
			}
		}
		return true
	})
	return files
}

// table opens a table by name to write into it.
func (s *Session) table(ctx context.Context, parts []string, pos expr.Pos) (connector.Writer, error) {
	t, err := s.readable(ctx, parts, pos)
	if err != nil {
		return nil, err
	}
	w, ok := t.(connector.Writer)
	if !ok {
		return nil, usererr.New("UNSUPPORTED_INSERT.NOT_WRITABLE", "42809", "Table %s (%s) cannot be written.", t.Name(), t.Provider()).At(pos.Line, pos.Col)
	}
	return w, nil
}
