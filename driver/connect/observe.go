package connect

import (
	"context"
	"errors"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured"
)

// reporting sends what was observed beside the rows (df.observe) when the rows are closed.
type reporting struct {
	structured.Rows
	e   *execution
	ctx context.Context
}

func (r *reporting) Close() error {
	var err error
	if o, ok := r.Rows.(structured.Observer); ok && r.ctx.Err() == nil {
		err = r.e.emitObserved(r.ctx, o)
	}
	return errors.Join(err, r.Rows.Close())
}

func (e *execution) emitObserved(ctx context.Context, o structured.Observer) error {
	list, err := o.Observed(ctx)
	if err != nil || len(list) == 0 {
		return err
	}
	out := &pb.ExecutePlanResponse{}
	for _, m := range list {
		x := &pb.ExecutePlanResponse_ObservedMetrics{Name: m.Name}
		for i, f := range m.Schema.Fields {
			x.Keys = append(x.Keys, f.Name)
			x.Values = append(x.Values, literalToProto(&expr.Literal{Value: column.Value(m.Values.Cols[i], 0), Typ: f.Type}))
		}
		out.ObservedMetrics = append(out.ObservedMetrics, x)
	}
	return e.op.emit(ctx, out)
}

// metricsFromProto are the metrics that a response carries.
func metricsFromProto(list []*pb.ExecutePlanResponse_ObservedMetrics) ([]structured.Metrics, error) {
	var out []structured.Metrics
	for _, x := range list {
		m := structured.Metrics{Name: x.GetName(), Schema: &column.Schema{}}
		row := make([]any, len(x.GetValues()))
		if len(x.GetKeys()) != len(row) {
			return nil, protocol("observed metrics have another number of names than values")
		}
		for i, v := range x.GetValues() {
			l, err := literalFromProto(v)
			if err != nil {
				return nil, err
			}
			row[i] = l.Value
			m.Schema.Fields = append(m.Schema.Fields, column.Field{Name: x.GetKeys()[i], Type: l.Typ, Nullable: true})
		}
		b, err := column.FromRows(m.Schema, row)
		if err != nil {
			return nil, err
		}
		m.Values = b
		out = append(out, m)
	}
	return out, nil
}

// Observed are the metrics that came with the rows.
func (r *remoteRows) Observed(context.Context) ([]structured.Metrics, error) {
	return r.stream.observed, nil
}

// Observed are the metrics that a command answered with.
func (b *batchRows) Observed(context.Context) ([]structured.Metrics, error) { return b.observed, nil }
