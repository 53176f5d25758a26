package structured

import (
	"context"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// Session is where programs begin: it makes DataFrames and runs them on a Backend. It is safe for concurrent use.
type Session struct {
	backend Backend
	out     io.Writer
	lastID  atomic.Int64

	mu           sync.Mutex
	observations map[string]*Observation // those that wait for an action, by name
}

// NewSession returns a session over a backend, which it closes with Close. What Show and PrintSchema print goes to
// standard output unless PrintTo says otherwise.
func NewSession(b Backend) *Session { return &Session{backend: b, out: os.Stdout} }

// Backend is what runs the session's plans.
func (s *Session) Backend() Backend { return s.backend }

// Conf is the session's settings.
func (s *Session) Conf() Conf { return s.backend.Conf() }

// PrintTo sends what Show, PrintSchema and Explain print to w.
func (s *Session) PrintTo(w io.Writer) { s.out = w }

// Close ends the session.
func (s *Session) Close() error { return s.backend.Close() }

// frame is a DataFrame over a plan, numbered so that its columns can be told from those of others.
func (s *Session) frame(p logical.Plan, err error) *DataFrame {
	id := s.lastID.Add(1)
	if p != nil {
		p = &logical.PlanID{Child: p, ID: id}
	}
	return &DataFrame{s: s, plan: p, id: id, err: err}
}

// Statementer is a Backend that itself tells a query from a command.
type Statementer interface {
	// Statement carries out a command and returns its rows as a plan, or returns a query's plan to be run later.
	Statement(ctx context.Context, sql *logical.SQLText) (logical.Plan, error)
}

// SQL is Spark's spark.sql: a query is checked now and run by an action on the result; a command (CREATE, INSERT, SET,
// SHOW …) is carried out at once, and the result holds its rows. Args are the values of ? markers, or one
// map[string]any with the values of :name markers.
func (s *Session) SQL(ctx context.Context, text string, args ...any) (*DataFrame, error) {
	sql, err := sqlText(text, args)
	if err != nil {
		return nil, err
	}
	if b, ok := s.backend.(Statementer); ok {
		p, err := b.Statement(ctx, sql)
		if err != nil {
			return nil, err
		}
		return s.frame(p, nil), nil
	}
	info, err := s.backend.Analyze(ctx, sql)
	if err != nil {
		return nil, err
	}
	if !info.Command {
		return s.frame(sql, nil), nil
	}
	rows, err := s.backend.Execute(ctx, sql, ExecOptions{})
	if err != nil {
		return nil, err
	}
	schema := rows.Schema()
	batches, err := readAll(ctx, rows)
	if err != nil {
		return nil, err
	}
	return s.frame(LocalPlan(schema, batches), nil), nil
}

func sqlText(text string, args []any) (*logical.SQLText, error) {
	sql := &logical.SQLText{Text: text}
	if len(args) == 1 {
		if named, ok := args[0].(map[string]any); ok {
			sql.Named = map[string]expr.Expr{}
			for name, v := range named {
				c := Lit(v)
				if c.err != nil {
					return nil, c.err
				}
				sql.Named[name] = c.e
			}
			return sql, nil
		}
	}
	for _, v := range args {
		c := Lit(v)
		if c.err != nil {
			return nil, c.err
		}
		sql.Args = append(sql.Args, c.e)
	}
	return sql, nil
}

// LocalPlan is rows as a plan.
func LocalPlan(schema *column.Schema, batches []*column.Batch) *logical.Local {
	l := &logical.Local{Schema: schema, Batches: batches}
	for _, f := range schema.Fields {
		l.Attrs = append(l.Attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable})
	}
	return l
}

// Table is a table or view of the catalog.
func (s *Session) Table(name string) *DataFrame { return s.Read().Table(name) }

// Range is the bigint column id from start to end, end excluded, by step.
func (s *Session) Range(start, end, step int64) *DataFrame {
	if step == 0 {
		return s.frame(nil, invalidValue("step", "0", "it must not be zero"))
	}
	attr := &expr.Attr{ID: expr.NewID(), Name: "id", Typ: column.Of(column.Int64)}
	return s.frame(&logical.Range{Start: start, End: end, Step: step, Attr: attr}, nil)
}

// CreateDataFrame is the rows as a DataFrame. The schema is DDL such as "name STRING, age INT"; values are Go's: integers,
// floats, strings, []byte, bool, time.Time, time.Duration, []any for arrays and structs, nil.
func (s *Session) CreateDataFrame(ddl string, rows ...[]any) *DataFrame {
	schema, err := column.ParseDDL(ddl)
	if err != nil {
		return s.frame(nil, err)
	}
	plain := make([][]any, len(rows))
	for i, r := range rows {
		if plain[i], err = engineRow(schema, r); err != nil {
			return s.frame(nil, err)
		}
	}
	b, err := column.FromRows(schema, plain...)
	if err != nil {
		return s.frame(nil, invalidValue("rows", ddl, err.Error()))
	}
	return s.frame(LocalPlan(schema, []*column.Batch{b}), nil)
}

// DataFrameOf is a DataFrame over a plan, for packages that build plans themselves.
func (s *Session) DataFrameOf(p logical.Plan) *DataFrame { return s.frame(p, nil) }

// InterruptAll cancels every operation of the session; it returns the ids of those that it ended.
func (s *Session) InterruptAll(ctx context.Context) ([]string, error) {
	return s.interrupt(ctx, Interrupt{})
}

// InterruptTag cancels the operations with a tag.
func (s *Session) InterruptTag(ctx context.Context, tag string) ([]string, error) {
	return s.interrupt(ctx, Interrupt{Tag: tag})
}

func (s *Session) interrupt(ctx context.Context, what Interrupt) ([]string, error) {
	if i, ok := s.backend.(Interrupter); ok {
		return i.Interrupt(ctx, what)
	}
	return nil, nil
}

// location is the session's time zone.
func (s *Session) location(ctx context.Context) (*time.Location, error) {
	zone, _, err := s.Conf().Get(ctx, ConfTimeZone)
	if err != nil {
		return nil, err
	}
	return LoadZone(zone)
}
