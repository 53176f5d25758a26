package connect

import (
	"strings"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

func (d *decoder) lateralJoin(j *pb.LateralJoin) (logical.Plan, error) {
	kind, ok := joinKinds[j.GetJoinType()]
	if !ok {
		return nil, invalidPlan("INVALID_ENUM", "The join type %s is not known.", j.GetJoinType())
	}
	left, err := d.child("LateralJoin", j.GetLeft())
	if err != nil {
		return nil, err
	}
	right, err := d.child("LateralJoin", j.GetRight())
	if err != nil {
		return nil, err
	}
	out := &logical.LateralJoin{Kind: kind, Left: left, Right: right}
	if j.GetJoinCondition() == nil {
		return out, nil
	}
	out.Cond, err = d.expr(j.GetJoinCondition())
	return out, err
}

var asofDirections = map[string]logical.AsofDirection{"": logical.Backward, "backward": logical.Backward, "forward": logical.Forward, "nearest": logical.Nearest}

// asofJoin decodes what pandas-on-Spark's merge_asof sends.
func (d *decoder) asofJoin(j *pb.AsOfJoin) (logical.Plan, error) {
	left, err := d.child("AsOfJoin", j.GetLeft())
	if err != nil {
		return nil, err
	}
	right, err := d.child("AsOfJoin", j.GetRight())
	if err != nil {
		return nil, err
	}
	dir, ok := asofDirections[strings.ToLower(j.GetDirection())]
	if !ok {
		return nil, invalidPlan("AS_OF_JOIN.UNSUPPORTED_DIRECTION", "Unsupported as-of join direction '%s'. Supported as-of join direction include: 'forward', 'backward', 'nearest'.", j.GetDirection())
	}
	out := &logical.AsofJoin{Left: left, Right: right, Using: j.GetUsingColumns(), Direction: dir, Strict: !j.GetAllowExactMatches()}
	switch strings.ToLower(j.GetJoinType()) {
	case "", "inner":
	case "left", "leftouter", "left_outer":
		out.Kind = logical.LeftOuter
	default:
		return nil, invalidPlan("AS_OF_JOIN.UNSUPPORTED_TYPE", "An as-of join is inner or left, not %q.", j.GetJoinType())
	}
	for _, part := range []struct {
		to   *expr.Expr
		from *pb.Expression
	}{{&out.LeftTime, j.GetLeftAsOf()}, {&out.RightTime, j.GetRightAsOf()}, {&out.Cond, j.GetJoinExpr()}, {&out.Tolerance, j.GetTolerance()}} {
		if part.from == nil {
			continue
		}
		if *part.to, err = d.expr(part.from); err != nil {
			return nil, err
		}
	}
	if out.LeftTime == nil || out.RightTime == nil {
		return nil, missing("spark.connect.AsOfJoin", "left_as_of")
	}
	return out, nil
}

// pivot decodes groupBy(keys).pivot(col, values).agg(aggs).
func (d *decoder) pivot(p *pb.Aggregate_Pivot, keys, aggs []expr.Expr, child logical.Plan) (logical.Plan, error) {
	if p.GetCol() == nil {
		return nil, missing("spark.connect.Aggregate.Pivot", "col")
	}
	col, err := d.expr(p.GetCol())
	if err != nil {
		return nil, err
	}
	out := &logical.Pivot{Keys: keys, ByKeys: true, Aggs: aggs, Cols: []expr.Expr{col}, Child: child}
	for _, v := range p.GetValues() {
		l, err := literalFromProto(v)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, l)
	}
	return out, nil
}

// subquery decodes DataFrame.scalar, exists and Column.isin(DataFrame).
func (d *decoder) subquery(s *pb.SubqueryExpression) (expr.Expr, error) {
	p, ok := d.subplans[s.GetPlanId()]
	if !ok {
		return nil, invalidPlan("SUBQUERY_PLAN_NOT_FOUND", "The relation %d of a subquery is not part of the plan.", s.GetPlanId())
	}
	out := &logical.Subquery{Query: p}
	switch t := s.GetSubqueryType(); t {
	case pb.SubqueryExpression_SUBQUERY_TYPE_SCALAR:
	case pb.SubqueryExpression_SUBQUERY_TYPE_EXISTS:
		out.Kind = logical.ExistsSubquery
	case pb.SubqueryExpression_SUBQUERY_TYPE_IN:
		values, err := d.exprs(s.GetInSubqueryValues())
		if err != nil {
			return nil, err
		}
		if len(values) != 1 {
			return nil, unsupported("IN_SUBQUERY_OF_SEVERAL_COLUMNS", "IN of %d values", len(values))
		}
		out.Kind, out.Value = logical.InSubquery, values[0]
	default:
		return nil, unsupported(t.String(), "The subquery %s", t)
	}
	return out, nil
}
