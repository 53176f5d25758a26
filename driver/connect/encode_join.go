package connect

import (
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

func fillLateral(r *pb.Relation, p *logical.LateralJoin, kids []*pb.Relation) error {
	j := &pb.LateralJoin{Left: kids[0], Right: kids[1]}
	for t, k := range joinKinds {
		if k == p.Kind {
			j.JoinType = t
		}
	}
	r.RelType = &pb.Relation_LateralJoin{LateralJoin: j}
	if p.Cond == nil {
		return nil
	}
	var err error
	j.JoinCondition, err = exprToProto(p.Cond)
	return err
}

// fillAsof sends the form that names the times; MATCH_CONDITION travels as SQL.
func fillAsof(r *pb.Relation, p *logical.AsofJoin, kids []*pb.Relation) error {
	if p.Match != nil {
		return unsupported("ENCODE_RELATION", "Sending MATCH_CONDITION over Spark Connect")
	}
	j := &pb.AsOfJoin{Left: kids[0], Right: kids[1], UsingColumns: p.Using, JoinType: "inner", AllowExactMatches: !p.Strict, Direction: p.Direction.String()}
	if p.Kind == logical.LeftOuter {
		j.JoinType = "left"
	}
	r.RelType = &pb.Relation_AsOfJoin{AsOfJoin: j}
	for _, part := range []struct {
		to   **pb.Expression
		from expr.Expr
	}{{&j.LeftAsOf, p.LeftTime}, {&j.RightAsOf, p.RightTime}, {&j.JoinExpr, p.Cond}, {&j.Tolerance, p.Tolerance}} {
		if part.from == nil {
			continue
		}
		var err error
		if *part.to, err = exprToProto(part.from); err != nil {
			return err
		}
	}
	return nil
}

func fillPivot(r *pb.Relation, p *logical.Pivot, child *pb.Relation) error {
	if !p.ByKeys || len(p.Cols) != 1 {
		return unsupported("ENCODE_RELATION", "Sending a pivot of several columns, or without keys, over Spark Connect")
	}
	keys, err := exprsToProto(p.Keys)
	if err != nil {
		return err
	}
	aggs, err := exprsToProto(p.Aggs)
	if err != nil {
		return err
	}
	col, err := exprToProto(p.Cols[0])
	if err != nil {
		return err
	}
	v := &pb.Aggregate_Pivot{Col: col}
	for _, e := range p.Values {
		l, ok := e.(*expr.Literal)
		if !ok {
			return unsupported("ENCODE_RELATION", "Sending the pivot value %s over Spark Connect", e)
		}
		v.Values = append(v.Values, literalToProto(l))
	}
	r.RelType = &pb.Relation_Aggregate{Aggregate: &pb.Aggregate{Input: child, GroupType: pb.Aggregate_GROUP_TYPE_PIVOT,
		GroupingExpressions: keys, AggregateExpressions: aggs, Pivot: v}}
	return nil
}
