package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

func isWrite(p logical.Plan) bool {
	_, ok := p.(*logical.WriteTo)
	return ok
}

// command resolves a command's query, if it has one.
func (a *analyzer) command(p logical.Plan) (logical.Plan, error) {
	switch p := p.(type) {
	case *logical.InsertInto:
		return a.insert(p)
	case *logical.CreateStream:
		return a.createStream(p)
	case *logical.CreateTable:
		return a.createTable(p)
	case *logical.CreateView:
		return a.createView(p)
	case *logical.Explain:
		_, err := a.root(p.Query)
		return p, err
	case *logical.Delete:
		return a.deleteFrom(p)
	case *logical.Update:
		return a.update(p)
	case *logical.Merge:
		return a.merge(p)
	case *logical.CacheTable:
		if p.Query == nil {
			return p, nil
		}
		_, err := a.query(p.Query)
		return p, err
	case *logical.CreateFunction:
		return p, a.checkFunction(p)
	case *logical.WriteTo:
		q, err := a.query(p.Query)
		if err != nil {
			return nil, err
		}
		return p.WithChildren([]logical.Plan{q}), nil
	case *logical.Describe:
		if p.Query == nil {
			return p, nil
		}
		q, err := a.query(p.Query)
		if err != nil {
			return nil, err
		}
		return p.WithChildren([]logical.Plan{q}), nil
	}
	return p, nil
}

func (a *analyzer) createTable(p *logical.CreateTable) (logical.Plan, error) {
	if p.As == nil {
		return p, nil
	}
	q, err := a.query(p.As)
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, at := range q.Output() {
		low := strings.ToLower(at.Name)
		if seen[low] {
			return nil, usererr.New("COLUMN_ALREADY_EXISTS", "42711", "The column `%s` already exists.", at.Name).At(p.Pos.Line, p.Pos.Col).
				WithFix("Give each column of the query its own alias.")
		}
		seen[low] = true
	}
	return p.WithChildren([]logical.Plan{q}), nil
}

// createView checks a view's query and keeps it as it is, for each use resolves it anew. Column names become part of it.
func (a *analyzer) createView(p *logical.CreateView) (logical.Plan, error) {
	q, err := a.query(p.Query)
	if err != nil {
		return nil, err
	}
	if len(p.Columns) == 0 {
		return p, nil
	}
	if n := len(q.Output()); n != len(p.Columns) {
		return nil, usererr.New("CREATE_VIEW_COLUMN_ARITY_MISMATCH", "21S01", "The view names %d columns, but its query has %d.", len(p.Columns), n).
			At(p.Pos.Line, p.Pos.Col).WithFix("Name all columns, or none.")
	}
	c := *p
	c.Columns = nil
	c.Query = &logical.ToDF{Names: p.Columns, Child: p.Query}
	if p.SQL != "" {
		names := make([]string, len(p.Columns))
		for i, n := range p.Columns {
			names[i] = quoted([]string{n})
		}
		c.SQL = "SELECT * FROM (" + p.SQL + ") AS " + quoted(p.Name[len(p.Name)-1:]) + "(" + strings.Join(names, ", ") + ")"
	}
	return &c, nil
}

// createStream resolves a streaming query. Tables that grow are read as streams, unless the query marks those that are.
func (a *analyzer) createStream(p *logical.CreateStream) (logical.Plan, error) {
	a.live = !marked(p.Query)
	q, err := a.query(p.Query)
	if err != nil {
		return nil, err
	}
	if !logical.IsStreaming(q) {
		return nil, usererr.New("STREAMING_QUERY_WITHOUT_STREAM", "0A000", "The streaming query `%s` reads no table that grows.", p.Name).At(p.Pos.Line, p.Pos.Col).
			WithFix("Read a topic, or run the query as an INSERT.")
	}
	if len(p.Sink) > 0 {
		if q, err = a.assign(q, p.Sink, p.Columns, p.ByName, p.Pos); err != nil {
			return nil, err
		}
	}
	if err := CheckStreaming(q, orAppend(p.OutputMode)); err != nil {
		return nil, err
	}
	c := *p
	c.Query, c.Columns, c.ByName = q, nil, false
	return &c, nil
}
