package connect

import (
	"context"
	"html"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
)

// showString is df.show(): the table drawn on the server, as one string.
func (e *execution) showString(ctx context.Context, s *pb.ShowString) error {
	n := max(int(s.GetNumRows()), 0)
	schema, batches, loc, err := e.head(ctx, s.GetInput(), n)
	if err != nil {
		return err
	}
	return e.emitText(ctx, "show_string", structured.ShowString(schema, batches, n, int(s.GetTruncate()), s.GetVertical(), loc))
}

// htmlString is what a notebook shows for a DataFrame.
func (e *execution) htmlString(ctx context.Context, s *pb.HtmlString) error {
	n := max(int(s.GetNumRows()), 0)
	schema, batches, loc, err := e.head(ctx, s.GetInput(), n)
	if err != nil {
		return err
	}
	return e.emitText(ctx, "html_string", htmlTable(schema, batches, n, int(s.GetTruncate()), loc))
}

// head runs a query for its first n rows and one more, which tells whether there are more.
func (e *execution) head(ctx context.Context, r *pb.Relation, n int) (*column.Schema, []*column.Batch, *time.Location, error) {
	if r == nil {
		return nil, nil, nil, missing("spark.connect.ShowString", "input")
	}
	plan, err := e.decode(ctx, r)
	if err != nil {
		return nil, nil, nil, err
	}
	zone, _, err := e.session.backend.Conf().Get(ctx, structured.ConfTimeZone)
	if err != nil {
		return nil, nil, nil, err
	}
	loc, err := structured.LoadZone(zone)
	if err != nil {
		return nil, nil, nil, err
	}
	rows, err := e.execute(ctx, &logical.Limit{N: int64(n) + 1, Child: plan})
	if err != nil {
		return nil, nil, nil, err
	}
	schema := rows.Schema()
	batches, err := collect(ctx, rows, n+1)
	return schema, batches, loc, err
}

func htmlTable(schema *column.Schema, batches []*column.Batch, n, truncate int, loc *time.Location) string {
	var b strings.Builder
	b.WriteString("<table border='1'>\n<tr>")
	for _, f := range schema.Fields {
		b.WriteString("<th>" + html.EscapeString(f.Name) + "</th>")
	}
	b.WriteString("</tr>\n")
	rows := 0
	for _, batch := range batches {
		for i := 0; i < batch.N && rows < n; i++ {
			b.WriteString("<tr>")
			for _, v := range batch.Cols {
				b.WriteString("<td>" + html.EscapeString(structured.Truncate(structured.CellString(v, i, loc), truncate)) + "</td>")
			}
			b.WriteString("</tr>\n")
			rows++
		}
	}
	b.WriteString("</table>\n")
	if total(batches) > n {
		b.WriteString("only showing top " + plural(n) + "\n")
	}
	return b.String()
}

func total(batches []*column.Batch) int {
	n := 0
	for _, b := range batches {
		n += b.N
	}
	return n
}

func plural(n int) string {
	if n == 1 {
		return "1 row"
	}
	return strconv.Itoa(n) + " rows"
}
