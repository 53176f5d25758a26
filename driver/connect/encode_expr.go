package connect

import (
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/types/known/anypb"
)

// exprToProto is an unresolved expression as Spark Connect sends it. Nodes that only analysis makes are refused.
func exprToProto(e expr.Expr) (*pb.Expression, error) {
	switch e := e.(type) {
	case *expr.Literal:
		return &pb.Expression{ExprType: &pb.Expression_Literal_{Literal: literalToProto(e)}}, nil
	case *expr.UnresolvedAttr:
		a := &pb.Expression_UnresolvedAttribute{UnparsedIdentifier: structured.JoinName(e.Parts)}
		if e.PlanID != 0 {
			a.PlanId = ptr(wirePlanID(e.PlanID))
		}
		return &pb.Expression{ExprType: &pb.Expression_UnresolvedAttribute_{UnresolvedAttribute: a}}, nil
	case *expr.UnresolvedCall:
		return callToProto(e)
	case *logical.SQLExpr:
		return &pb.Expression{ExprType: &pb.Expression_ExpressionString_{ExpressionString: &pb.Expression_ExpressionString{Expression: e.Text}}}, nil
	case *expr.Star:
		s := &pb.Expression_UnresolvedStar{}
		if len(e.Qualifier) > 0 {
			s.UnparsedTarget = ptr(structured.JoinName(e.Qualifier) + ".*")
		}
		return &pb.Expression{ExprType: &pb.Expression_UnresolvedStar_{UnresolvedStar: s}}, nil
	case *expr.Alias:
		a, err := aliasToProto(e)
		return &pb.Expression{ExprType: &pb.Expression_Alias_{Alias: a}}, err
	case *expr.Cast:
		return castToProto(e)
	case *expr.Case:
		return caseToProto(e)
	case *expr.SortOrder:
		s, err := sortOrderToProto(e)
		return &pb.Expression{ExprType: &pb.Expression_SortOrder_{SortOrder: s}}, err
	case *expr.UnresolvedLambda:
		return lambdaToProto(e)
	case *expr.Over:
		return windowToProto(e)
	case *logical.UpdateField:
		return updateToProto(e)
	case *expr.NamedArg:
		v, err := exprToProto(e.Value)
		return &pb.Expression{ExprType: &pb.Expression_NamedArgumentExpression{NamedArgumentExpression: &pb.NamedArgumentExpression{Key: e.Name, Value: v}}}, err
	case *expr.UnresolvedExtract:
		kids, err := exprsToProto([]expr.Expr{e.Child, e.Key})
		if err != nil {
			return nil, err
		}
		return &pb.Expression{ExprType: &pb.Expression_UnresolvedExtractValue_{UnresolvedExtractValue: &pb.Expression_UnresolvedExtractValue{
			Child: kids[0], Extraction: kids[1]}}}, nil
	}
	return nil, unsupported("ENCODE_EXPRESSION", "Sending the expression %s over Spark Connect", e)
}

func exprsToProto(list []expr.Expr) ([]*pb.Expression, error) {
	out := make([]*pb.Expression, len(list))
	for i, e := range list {
		var err error
		if out[i], err = exprToProto(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func callToProto(c *expr.UnresolvedCall) (*pb.Expression, error) {
	args, err := exprsToProto(c.Args)
	if err != nil {
		return nil, err
	}
	call := functionCall(c.Name, args...)
	call.GetUnresolvedFunction().IsDistinct = c.Distinct
	if c.Filter == nil {
		return call, nil
	}
	filter, err := exprToProto(c.Filter)
	if err != nil {
		return nil, err
	}
	ext, err := anypb.New(&sfpb.FilteredAggregate{Call: call, Filter: filter})
	return &pb.Expression{ExprType: &pb.Expression_Extension{Extension: ext}}, err
}

func functionCall(name string, args ...*pb.Expression) *pb.Expression {
	return &pb.Expression{ExprType: &pb.Expression_UnresolvedFunction_{UnresolvedFunction: &pb.Expression_UnresolvedFunction{
		FunctionName: name, Arguments: args}}}
}

// caseToProto writes CASE as the function when.
func caseToProto(c *expr.Case) (*pb.Expression, error) {
	var args []expr.Expr
	for i := range c.Whens {
		args = append(args, c.Whens[i], c.Thens[i])
	}
	if c.Else != nil {
		args = append(args, c.Else)
	}
	list, err := exprsToProto(args)
	return functionCall("when", list...), err
}

func aliasToProto(a *expr.Alias) (*pb.Expression_Alias, error) {
	child, err := exprToProto(a.Child)
	names := a.Names
	if len(names) == 0 {
		names = []string{a.Name}
	}
	return &pb.Expression_Alias{Expr: child, Name: names}, err
}

func castToProto(c *expr.Cast) (*pb.Expression, error) {
	child, err := exprToProto(c.Child)
	out := &pb.Expression_Cast{Expr: child, CastToType: &pb.Expression_Cast_Type{Type: typeToProto(c.To)}}
	if c.Try {
		out.EvalMode = pb.Expression_Cast_EVAL_MODE_TRY
	}
	return &pb.Expression{ExprType: &pb.Expression_Cast_{Cast: out}}, err
}

func sortOrderToProto(s *expr.SortOrder) (*pb.Expression_SortOrder, error) {
	child, err := exprToProto(s.Child)
	out := &pb.Expression_SortOrder{Child: child, Direction: pb.Expression_SortOrder_SORT_DIRECTION_ASCENDING,
		NullOrdering: pb.Expression_SortOrder_SORT_NULLS_LAST}
	if s.Desc {
		out.Direction = pb.Expression_SortOrder_SORT_DIRECTION_DESCENDING
	}
	if s.NullsFirst {
		out.NullOrdering = pb.Expression_SortOrder_SORT_NULLS_FIRST
	}
	return out, err
}

func updateToProto(u *logical.UpdateField) (*pb.Expression, error) {
	child, err := exprToProto(u.Child)
	if err != nil {
		return nil, err
	}
	out := &pb.Expression_UpdateFields{StructExpression: child, FieldName: structured.JoinName(u.Path)}
	if u.Value != nil {
		out.ValueExpression, err = exprToProto(u.Value)
	}
	return &pb.Expression{ExprType: &pb.Expression_UpdateFields_{UpdateFields: out}}, err
}
