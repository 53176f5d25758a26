package physical

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// logged finds the scans below a watermark, for the order of their rows decides what is late, or below what takes
// rows of one time in the order of their log.
func logged(plan logical.Plan) map[*logical.Scan]bool {
	found := map[*logical.Scan]bool{}
	var walk func(logical.Plan, bool)
	walk = func(l logical.Plan, below bool) {
		switch l := l.(type) {
		case *logical.Scan:
			found[l] = found[l] || below
		case *logical.Watermark, *logical.MatchRecognize, *logical.Process:
			below = true
		}
		for _, k := range l.Children() {
			walk(k, below)
		}
	}
	walk(plan, false)
	return found
}

// hasStream reports whether a plan reads a stream.
func hasStream(l logical.Plan) bool {
	if s, ok := l.(*logical.Scan); ok {
		return s.Streaming
	}
	for _, k := range l.Children() {
		if hasStream(k) {
			return true
		}
	}
	return false
}

// scan plans the reading of a table. Of a log, rows are read in order and with their offsets where lateness or failing
// rows may be reported.
func (p *planner) scan(s *logical.Scan) (*Node, error) {
	table, ok := s.Table.(connector.BatchReader)
	if !ok {
		return nil, notReadable(s.Table)
	}
	stream, growing := s.Table.(connector.StreamReader)
	live := s.Streaming && p.opt.Streaming && !p.static
	if live && !growing {
		return nil, notStreamable(s.Table)
	}
	inOrder := growing && (live || p.logged[s])
	req, attrs, offset, err := p.request(s, inOrder)
	if err != nil {
		return nil, err
	}
	n := p.node("Scan", "", attrs)
	src := &Source{Table: table, Start: startOf(s.Options)}
	if live {
		src.Stream = stream
	}
	if err := p.planSource(src, stream, req, inOrder, live); err != nil {
		return nil, err
	}
	n.Op, n.source, n.Parts = &Scan{Source: src.Scan.Op}, src, src.Parts
	n.props.stream, n.props.ordered, n.props.offset = live, inOrder, offset
	n.props.origins = []Origin{{Topic: s.Table.Name()}}
	n.Detail = scanDetail(s, attrs)
	if src.Scan.Note != "" {
		n.Notes = append(n.Notes, src.Scan.Note)
	}
	n.Rows, n.Bytes = sizeOf(src.Scan.Splits, rowWidth(attrs))
	n.counted = n.Rows >= 0 && !live && p.est.Of(s).Known
	return p.residual(n, src.Scan.Residual)
}

// known makes literals of what the session's time zone decides, so that sources can compare.
func (p *planner) known(e expr.Expr) expr.Expr {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		if _, ok := x.(*expr.Cast); ok {
			return expr.FoldIn(&expr.Context{Location: p.env.Loc, Now: p.env.Now, ANSI: p.env.ANSI}, x)
		}
		return x
	})
}

// request says what the scan needs of the table, and which attributes it makes; the offset comes last when it was not
// asked for.
func (p *planner) request(s *logical.Scan, inOrder bool) (req connector.ScanRequest, attrs []*expr.Attr, offset *expr.Attr, err error) {
	attrs = s.Attrs
	req = connector.ScanRequest{Columns: s.Columns, Limit: s.Limit, Partitions: p.parts}
	if at := s.Table.Schema().Index(connector.ColOffset); inOrder && at >= 0 {
		if i := position(s.Columns, at); i >= 0 {
			offset = s.Attrs[i]
		} else {
			f := s.Table.Schema().Fields[at]
			offset = &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Hidden: true}
			req.Columns, attrs = withColumn(req.Columns, attrs, at, offset)
		}
	}
	for _, f := range s.Filters {
		b, err := expr.Bind(f, attrs)
		if err != nil {
			return req, nil, nil, err
		}
		req.Filters = append(req.Filters, p.known(b))
	}
	if req.From, err = timeOption(s.Options, logical.OptionFrom); err != nil {
		return req, nil, nil, err
	}
	req.To, err = timeOption(s.Options, logical.OptionTo)
	return req, attrs, offset, err
}

// planSource asks the connector. A bounded read in log order takes the source's own partitions, as a stream does.
func (p *planner) planSource(src *Source, stream connector.StreamReader, req connector.ScanRequest, inOrder, live bool) error {
	var err error
	src.request = req
	if !inOrder {
		if src.Scan, err = src.Table.(connector.BatchReader).PlanScan(p.ctx, req); err != nil {
			return err
		}
		if p.static {
			src.Scan.Splits = [][]rdd.Split{flatten(src.Scan.Splits)}
		}
		if len(src.Scan.Splits) == 0 {
			src.Scan.Splits = [][]rdd.Split{nil}
		}
		src.Parts = len(src.Scan.Splits)
		return nil
	}
	if src.Scan, err = stream.PlanStream(p.ctx, req); err != nil {
		return err
	}
	have, err := stream.Available(p.ctx)
	if err != nil {
		return err
	}
	src.Parts = max(len(have.End), 1)
	if live {
		return nil
	}
	start := connector.Start{Mode: "beginning"}
	if req.From != nil {
		start = connector.Start{Mode: "time", Time: *req.From}
	}
	from, err := stream.Begin(p.ctx, start)
	if err != nil {
		return err
	}
	end, err := endOf(p.ctx, stream, have.End, req.To)
	if err != nil {
		return err
	}
	src.Scan.Splits = stream.Bind(from, end)
	for len(src.Scan.Splits) < src.Parts {
		src.Scan.Splits = append(src.Scan.Splits, nil)
	}
	return nil
}

// endOf is where a bounded read ends: at what is there, or before the first row of a time.
func endOf(ctx context.Context, stream connector.StreamReader, have connector.Offsets, to *int64) (connector.Offsets, error) {
	if to == nil {
		return have, nil
	}
	at, err := stream.Begin(ctx, connector.Start{Mode: "time", Time: *to})
	if err != nil {
		return nil, err
	}
	end := append(connector.Offsets{}, have...)
	for i := range min(len(end), len(at)) {
		end[i] = min(end[i], at[i])
	}
	return end, nil
}

// residual filters what the scan does not promise to filter itself.
func (p *planner) residual(n *Node, conds []expr.Expr) (*Node, error) {
	if len(conds) == 0 {
		return n, nil
	}
	out := p.node("Filter", listOf(conds), n.Output, n)
	out.Op = &Filter{Cond: expr.AndAll(conds), Env: p.env, From: n.provenance()}
	out.halve()
	return out, nil
}

// withColumn inserts a column into an ascending list and its attribute beside it.
func withColumn(cols []int, attrs []*expr.Attr, c int, a *expr.Attr) ([]int, []*expr.Attr) {
	i := 0
	for i < len(cols) && cols[i] < c {
		i++
	}
	cols = append(append(append([]int{}, cols[:i]...), c), cols[i:]...)
	attrs = append(append(append([]*expr.Attr{}, attrs[:i]...), a), attrs[i:]...)
	return cols, attrs
}

func position(list []int, x int) int {
	for i, v := range list {
		if v == x {
			return i
		}
	}
	return -1
}

func flatten(parts [][]rdd.Split) []rdd.Split {
	var all []rdd.Split
	for _, p := range parts {
		all = append(all, p...)
	}
	return all
}

func timeOption(options map[string]string, key string) (*int64, error) {
	v, ok := options[key]
	if !ok {
		return nil, nil
	}
	t, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("physical: scan option %s: %w", key, err)
	}
	return &t, nil
}

// startOf is where a streaming scan begins, from its options.
func startOf(options map[string]string) connector.Start {
	if t, err := timeOption(options, logical.OptionFrom); err == nil && t != nil {
		return connector.Start{Mode: "time", Time: *t}
	}
	switch strings.ToLower(options["startingOffsets"]) {
	case "earliest":
		return connector.Start{Mode: "beginning"}
	case "latest":
		return connector.Start{Mode: "now"}
	}
	return connector.Start{}
}

// rowWidth is a guess at the bytes of a row in memory.
func rowWidth(attrs []*expr.Attr) (w int64) {
	for _, a := range attrs {
		switch a.Typ.Kind {
		case column.String, column.Binary:
			w += 24
		case column.List, column.Map, column.Struct:
			w += 64
		default:
			w += 8
		}
	}
	return max(w, 8)
}

// sizeOf adds up what the splits know of their size, -1 when one knows nothing. Rows and bytes follow from each other, by
// width, where a split knows only one.
func sizeOf(parts [][]rdd.Split, width int64) (rows, bytes int64) {
	if parts == nil {
		return -1, -1
	}
	for _, s := range flatten(parts) {
		if s.Rows == 0 && s.Bytes == 0 {
			return -1, -1
		}
		if s.Rows == 0 {
			s.Rows = max(s.Bytes/width, 1)
		}
		if s.Bytes == 0 {
			s.Bytes = s.Rows * width
		}
		rows += s.Rows
		bytes += s.Bytes
	}
	return rows, bytes
}

// local plans rows that travel in the plan.
func (p *planner) local(l *logical.Local) (*Node, error) {
	n := p.node("Local", attrList(l.Attrs), l.Attrs)
	cols := make([]int, len(l.Attrs))
	for i, a := range l.Attrs {
		if cols[i] = l.Schema.Index(a.Name); len(l.Attrs) == l.Schema.Len() {
			cols[i] = i
		}
	}
	n.Op = &Local{Out: l.Schema, Cols: cols}
	splits := localSplits(l.Batches, 1)
	n.source = &Source{Scan: &connector.Scan{Op: n.Op, Splits: splits}, Parts: 1}
	n.Rows, n.Bytes = 0, 0
	for _, s := range splits[0] {
		n.Rows += s.Rows
		n.Bytes += s.Bytes
	}
	return n, nil
}

// rangeOf plans a range.
func (p *planner) rangeOf(r *logical.Range) (*Node, error) {
	parts := r.Parts
	if parts <= 0 {
		parts = p.parts
	}
	if p.static {
		parts = 1
	}
	n := p.node("Range", fmt.Sprintf("%d to %d by %d", r.Start, r.End, r.Step), []*expr.Attr{r.Attr})
	n.Op, n.Parts = &Range{Step: r.Step, Out: schemaOf(n.Output)}, parts
	n.source = &Source{Scan: &connector.Scan{Op: n.Op, Splits: rangeSplits(r.Start, r.End, r.Step, parts)}, Parts: parts}
	n.Rows = rangeRows(r.Start, r.End, r.Step)
	n.Bytes = 8 * n.Rows
	return n, nil
}

func scanDetail(s *logical.Scan, attrs []*expr.Attr) string {
	d := fmt.Sprintf("%s %s %s", s.Table.Provider(), s.Table.Name(), attrList(attrs))
	if pruned := s.Table.Schema().Len() - s.Table.Hidden() - len(s.Columns); pruned > 0 {
		d += fmt.Sprintf(", %d column%s pruned", pruned, plural(pruned))
	}
	if len(s.Filters) > 0 {
		d += ", pushed " + listOf(s.Filters)
	}
	if s.Limit > 0 {
		d += fmt.Sprintf(", limit %d", s.Limit)
	}
	return d
}

func attrList(attrs []*expr.Attr) string {
	names := make([]string, len(attrs))
	for i, a := range attrs {
		names[i] = a.Name
	}
	return "[" + strings.Join(names, ", ") + "]"
}

func listOf[E expr.Expr](list []E) string {
	parts := make([]string, len(list))
	for i, e := range list {
		parts[i] = plain(e)
	}
	return "[" + strings.Join(parts, ", ") + "]"
}
