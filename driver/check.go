package driver

import (
	"context"
	"fmt"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// checkSchema is the schema of EXPLAIN CHECK.
func checkSchema() *column.Schema { return text("what", "id", "about", "change", "detail") }

// check is EXPLAIN CHECK: what a streaming query would be, and how it differs from the query of that name that there is.
// Nothing is started, stopped or created.
func (s *Session) check(ctx context.Context, p logical.Plan, src string) (structured.Rows, error) {
	c := asStream(p)
	planned, err := s.planStream(ctx, c, c.Name, src, len(c.Sink) == 0 && c.Format == "")
	if err != nil {
		return nil, err
	}
	defer planned.job.Close()
	r, there := s.engine.opts.Queries.Query(c.Name)
	var changes []opChange
	var old *physical.Physical
	status := "new"
	if there {
		o, err := s.engine.plannedFor(ctx, r, true)
		if err != nil {
			return nil, fmt.Errorf("the version of %s that there is cannot be planned: %w", c.Name, err)
		}
		o.planned.job.Close()
		old, status = o.planned.phys, statusOf(&r)
		changes = compare(old.Stateful, planned.phys.Stateful)
	} else {
		changes = compare(nil, planned.phys.Stateful)
		for i := range changes {
			changes[i].notes = nil
		}
	}
	rows := [][]any{{"query", c.Name, "trigger " + triggerText(c.Trigger), status, ""}}
	rows = append(rows, operatorRows(planned.phys, changes, there)...)
	rows = append(rows, sourceRows(planned.phys, old, &r)...)
	if k := planned.phys.Sink; k != nil {
		rows = append(rows, []any{"sink", planned.phys.SinkOp, sinkText(c), "", k.Guarantee()})
	} else {
		rows = append(rows, []any{"sink", "", "the client", "", "rows after their batch's commit; the query ends with the client"})
	}
	return table(checkSchema(), append(rows, verdict(changes, there, c))...)
}

// asStream is the streaming query that a statement makes, or would make if it ran live.
func asStream(p logical.Plan) *logical.CreateStream {
	run, inner := unwrap(p)
	name := nameOf(run)
	switch p := inner.(type) {
	case *logical.CreateStream:
		return p
	case *logical.InsertInto:
		return &logical.CreateStream{Name: name, Query: p.Query, Sink: p.Table, Columns: p.Columns, ByName: p.ByName}
	}
	return &logical.CreateStream{Name: name, Query: inner}
}

func triggerText(t string) string {
	if t == "" {
		return "as soon as data is there"
	}
	return strings.ReplaceAll(t, "_", " ")
}

func sinkText(c *logical.CreateStream) string {
	if len(c.Sink) > 0 {
		return "table " + strings.Join(c.Sink, ".")
	}
	return c.Format
}

// operatorRows are all operators by their stable ids, with what those that keep state keep.
func operatorRows(phys *physical.Physical, changes []opChange, there bool) [][]any {
	of := map[string]*opChange{}
	var rows [][]any
	for i := range changes {
		if c := &changes[i]; c.op != nil {
			of[c.op.Op] = c
		}
	}
	phys.Root.Walk(func(n *physical.Node) {
		if n.ID == phys.SinkOp {
			return
		}
		c := of[n.ID]
		if c == nil {
			rows = append(rows, []any{"operator", n.ID, n.Detail, "", ""})
			return
		}
		id, change := n.ID, ""
		if c.op.Name != "" {
			id += " (" + c.op.Name + ")"
		}
		if there {
			change = c.what
		}
		rows = append(rows, []any{"operator", id, n.Detail, "", ""}, []any{"state", id, c.op.Bound, change, c.describe()})
	})
	for i := range changes {
		if c := &changes[i]; c.what == dropState {
			rows = append(rows, []any{"state", c.old.Op, c.old.Bound, dropState, "no operator of the new version needs it"})
		}
	}
	return rows
}

// sourceRows say where each source is read on.
func sourceRows(phys, old *physical.Physical, r *stream.Record) [][]any {
	same := map[string]string{}
	if old != nil {
		same = sourceMap(old, phys)
	}
	var rows [][]any
	for _, s := range phys.Sources {
		if s.Stream == nil {
			continue
		}
		change, detail := "", ""
		if o, ok := same[s.Op]; ok {
			change, detail = "goes on", fmt.Sprintf("at offsets %v", []int64(r.From(o)))
		} else if old != nil {
			change, detail = newState, "begins where START FROM says, at the beginning without it"
		}
		rows = append(rows, []any{"source", s.Op, s.Table.Provider() + " " + s.Table.Name(), change, detail})
	}
	return rows
}

// verdict is what CREATE OR REPLACE would do.
func verdict(changes []opChange, there bool, c *logical.CreateStream) []any {
	if !there {
		return []any{"verdict", "", "begins with nothing", "", ""}
	}
	for i := range changes {
		if changes[i].what == rebuildState {
			return []any{"verdict", "", "rebuild", "", "write CREATE OR REPLACE STREAMING QUERY " + c.Name + " START FROM BEGINNING: its state is made again from the input"}
		}
	}
	return []any{"verdict", "", "goes on", "", "CREATE OR REPLACE STREAMING QUERY " + c.Name + " takes over state and offsets"}
}
