package connect

import (
	"github.com/streamflow/streamflow/expr"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
)

// Window functions on the wire: Spark Connect measures a frame's borders from the row, negative before it.

type (
	framePB    = pb.Expression_Window_WindowFrame
	boundaryPB = pb.Expression_Window_WindowFrame_FrameBoundary
)

func (d *decoder) window(w *pb.Expression_Window) (expr.Expr, error) {
	fn, err := d.expr(w.GetWindowFunction())
	if err != nil {
		return nil, err
	}
	o := &expr.Over{Fn: fn}
	if o.Partition, err = d.exprs(w.GetPartitionSpec()); err != nil {
		return nil, err
	}
	for _, s := range w.GetOrderSpec() {
		key, err := d.sortOrder(s)
		if err != nil {
			return nil, err
		}
		o.Order = append(o.Order, key)
	}
	f := w.GetFrameSpec()
	if f == nil {
		return o, nil
	}
	o.Frame = &expr.Frame{Rows: f.GetFrameType() == pb.Expression_Window_WindowFrame_FRAME_TYPE_ROW}
	if o.Frame.Start, err = d.border(f.GetLower(), expr.UnboundedPreceding); err != nil {
		return nil, err
	}
	o.Frame.End, err = d.border(f.GetUpper(), expr.UnboundedFollowing)
	return o, err
}

func (d *decoder) border(b *boundaryPB, unbounded expr.BoundKind) (expr.Bound, error) {
	switch k := b.GetBoundary().(type) {
	case *pb.Expression_Window_WindowFrame_FrameBoundary_CurrentRow:
		return expr.Bound{Kind: expr.CurrentRow}, nil
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Unbounded:
		return expr.Bound{Kind: unbounded}, nil
	case *pb.Expression_Window_WindowFrame_FrameBoundary_Value:
		e, err := d.expr(k.Value)
		if err != nil {
			return expr.Bound{}, err
		}
		return signed(e), nil
	}
	return expr.Bound{}, missing("spark.connect.Expression.Window.WindowFrame.FrameBoundary", "boundary")
}

// signed is a distance from the row as a border.
func signed(e expr.Expr) expr.Bound {
	if l, ok := e.(*expr.Literal); ok {
		switch v := l.Value.(type) {
		case int64:
			if v < 0 {
				return expr.Bound{Kind: expr.Preceding, Offset: &expr.Literal{Value: -v, Typ: l.Typ}}
			}
		case float64:
			if v < 0 {
				return expr.Bound{Kind: expr.Preceding, Offset: &expr.Literal{Value: -v, Typ: l.Typ}}
			}
		}
	}
	return expr.Bound{Kind: expr.Following, Offset: e}
}

func windowToProto(o *expr.Over) (*pb.Expression, error) {
	fn, err := exprToProto(o.Fn)
	if err != nil {
		return nil, err
	}
	w := &pb.Expression_Window{WindowFunction: fn}
	if w.PartitionSpec, err = exprsToProto(o.Partition); err != nil {
		return nil, err
	}
	for _, k := range o.Order {
		s, err := sortOrderToProto(k)
		if err != nil {
			return nil, err
		}
		w.OrderSpec = append(w.OrderSpec, s)
	}
	if o.Frame != nil {
		if w.FrameSpec, err = frameToProto(o.Frame); err != nil {
			return nil, err
		}
	}
	return &pb.Expression{ExprType: &pb.Expression_Window_{Window: w}}, nil
}

func frameToProto(f *expr.Frame) (*framePB, error) {
	out := &framePB{FrameType: pb.Expression_Window_WindowFrame_FRAME_TYPE_RANGE}
	if f.Rows {
		out.FrameType = pb.Expression_Window_WindowFrame_FRAME_TYPE_ROW
	}
	var err error
	if out.Lower, err = borderToProto(f.Start); err != nil {
		return nil, err
	}
	out.Upper, err = borderToProto(f.End)
	return out, err
}

func borderToProto(b expr.Bound) (*boundaryPB, error) {
	switch b.Kind {
	case expr.CurrentRow:
		return &boundaryPB{Boundary: &pb.Expression_Window_WindowFrame_FrameBoundary_CurrentRow{CurrentRow: true}}, nil
	case expr.UnboundedPreceding, expr.UnboundedFollowing:
		return &boundaryPB{Boundary: &pb.Expression_Window_WindowFrame_FrameBoundary_Unbounded{Unbounded: true}}, nil
	}
	e := b.Offset
	if b.Kind == expr.Preceding {
		l, ok := e.(*expr.Literal)
		switch v := any(nil); {
		case ok:
			switch n := l.Value.(type) {
			case int64:
				v = -n
			case float64:
				v = -n
			}
			e = &expr.Literal{Value: v, Typ: l.Typ}
		default:
			e = &expr.UnresolvedCall{Name: "negative", Args: []expr.Expr{e}}
		}
	}
	value, err := exprToProto(e)
	return &boundaryPB{Boundary: &pb.Expression_Window_WindowFrame_FrameBoundary_Value{Value: value}}, err
}
