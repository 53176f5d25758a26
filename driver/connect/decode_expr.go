package connect

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	sfpb "github.com/streamflow/streamflow/driver/connect/proto/streamflowpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"
)

func (d *decoder) expr(e *pb.Expression) (expr.Expr, error) {
	if d.enter(); d.depth > maxDepth {
		return nil, tooDeep()
	}
	defer d.leave()
	switch k := e.GetExprType().(type) {
	case *pb.Expression_Literal_:
		return literalFromProto(k.Literal)
	case *pb.Expression_UnresolvedAttribute_:
		return d.attribute(k.UnresolvedAttribute)
	case *pb.Expression_UnresolvedFunction_:
		return d.function(k.UnresolvedFunction.GetFunctionName(), k.UnresolvedFunction.GetArguments(), k.UnresolvedFunction.GetIsDistinct())
	case *pb.Expression_CallFunction:
		name, err := structured.SplitName(k.CallFunction.GetFunctionName())
		if err != nil {
			return nil, err
		}
		return d.function(name[len(name)-1], k.CallFunction.GetArguments(), false)
	case *pb.Expression_ExpressionString_:
		return &logical.SQLExpr{Text: k.ExpressionString.GetExpression()}, nil
	case *pb.Expression_UnresolvedStar_:
		return d.star(k.UnresolvedStar)
	case *pb.Expression_Alias_:
		return d.alias(k.Alias)
	case *pb.Expression_Cast_:
		return d.cast(k.Cast)
	case *pb.Expression_SortOrder_:
		return d.sortOrder(k.SortOrder)
	case *pb.Expression_LambdaFunction_:
		return d.lambda(k.LambdaFunction)
	case *pb.Expression_UnresolvedNamedLambdaVariable_:
		return &expr.UnresolvedAttr{Parts: k.UnresolvedNamedLambdaVariable.GetNameParts()}, nil
	case *pb.Expression_Window_:
		return d.window(k.Window)
	case *pb.Expression_UnresolvedExtractValue_:
		return d.extract(k.UnresolvedExtractValue)
	case *pb.Expression_UpdateFields_:
		return d.updateFields(k.UpdateFields)
	case *pb.Expression_UnresolvedRegex_:
		return regexStar(k.UnresolvedRegex)
	case *pb.Expression_NamedArgumentExpression:
		value, err := d.expr(k.NamedArgumentExpression.GetValue())
		return &expr.NamedArg{Name: k.NamedArgumentExpression.GetKey(), Value: value}, err
	case *pb.Expression_SubqueryExpression:
		return d.subquery(k.SubqueryExpression)
	case *pb.Expression_Extension:
		return d.exprExtension(k.Extension)
	case nil:
		return nil, notSet("spark.connect.Expression", "EXPRTYPE_NOT_SET")
	}
	name := oneofName(e, "expr_type")
	return nil, unsupported(feature(name), "The expression %s", name)
}

func (d *decoder) exprs(list []*pb.Expression) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = d.expr(e); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (d *decoder) attribute(a *pb.Expression_UnresolvedAttribute) (expr.Expr, error) {
	parts, err := structured.SplitName(a.GetUnparsedIdentifier())
	if err != nil {
		return nil, err
	}
	return &expr.UnresolvedAttr{Parts: parts, PlanID: attrPlan(a)}, nil
}

// function makes a call. The function when becomes the CASE that it is.
func (d *decoder) function(name string, arguments []*pb.Expression, distinct bool) (expr.Expr, error) {
	args, err := d.exprs(arguments)
	if err != nil {
		return nil, err
	}
	if strings.EqualFold(name, "when") && len(args) >= 2 {
		return caseOf(args), nil
	}
	return &expr.UnresolvedCall{Name: name, Args: args, Distinct: distinct}, nil
}

// caseOf reads when(c1, v1, c2, v2, …[, else]).
func caseOf(args []expr.Expr) *expr.Case {
	c := &expr.Case{}
	for ; len(args) >= 2; args = args[2:] {
		c.Whens = append(c.Whens, args[0])
		c.Thens = append(c.Thens, args[1])
	}
	if len(args) == 1 {
		c.Else = args[0]
	}
	return c
}

func (d *decoder) star(s *pb.Expression_UnresolvedStar) (expr.Expr, error) {
	if s.UnparsedTarget == nil {
		return &expr.Star{}, nil
	}
	target, ok := strings.CutSuffix(s.GetUnparsedTarget(), ".*")
	if !ok {
		return nil, invalidPlan("UNRESOLVED_STAR_TARGET", "The target of a star, %q, must end in \".*\".", s.GetUnparsedTarget())
	}
	parts, err := structured.SplitName(target)
	return &expr.Star{Qualifier: parts}, err
}

func (d *decoder) alias(a *pb.Expression_Alias) (*expr.Alias, error) {
	if len(a.GetName()) == 0 {
		return nil, missing("spark.connect.Expression.Alias", "name")
	}
	child, err := d.expr(a.GetExpr())
	if err != nil {
		return nil, err
	}
	out := &expr.Alias{Child: child, Name: a.GetName()[0], ID: expr.NewID()}
	if len(a.GetName()) > 1 {
		out.Names = a.GetName()
	}
	return out, nil
}

func (d *decoder) cast(c *pb.Expression_Cast) (expr.Expr, error) {
	child, err := d.expr(c.GetExpr())
	if err != nil {
		return nil, err
	}
	var to column.Type
	switch t := c.GetCastToType().(type) {
	case *pb.Expression_Cast_Type:
		to, err = typeFromProto(t.Type)
	case *pb.Expression_Cast_TypeStr:
		to, err = parseType(t.TypeStr)
	default:
		err = notSet("spark.connect.Expression.Cast", "CASTTOTYPE_NOT_SET")
	}
	if err != nil {
		return nil, err
	}
	return &expr.Cast{Child: child, To: to, Try: c.GetEvalMode() == pb.Expression_Cast_EVAL_MODE_TRY}, nil
}

// sortOrder reads one key. As in Spark, what is not ascending is descending and what is not nulls first is nulls last.
func (d *decoder) sortOrder(s *pb.Expression_SortOrder) (*expr.SortOrder, error) {
	child, err := d.expr(s.GetChild())
	if err != nil {
		return nil, err
	}
	return &expr.SortOrder{Child: child, Desc: s.GetDirection() != pb.Expression_SortOrder_SORT_DIRECTION_ASCENDING,
		NullsFirst: s.GetNullOrdering() == pb.Expression_SortOrder_SORT_NULLS_FIRST}, nil
}

func (d *decoder) extract(x *pb.Expression_UnresolvedExtractValue) (expr.Expr, error) {
	kids, err := d.exprs([]*pb.Expression{x.GetChild(), x.GetExtraction()})
	if err != nil {
		return nil, err
	}
	return &expr.UnresolvedExtract{Child: kids[0], Key: kids[1]}, nil
}

// updateFields decodes Column.withField and dropFields.
func (d *decoder) updateFields(u *pb.Expression_UpdateFields) (expr.Expr, error) {
	child, err := d.expr(u.GetStructExpression())
	if err != nil {
		return nil, err
	}
	path, err := structured.SplitName(u.GetFieldName())
	if err != nil {
		return nil, err
	}
	out := &logical.UpdateField{Child: child, Path: path}
	if u.GetValueExpression() != nil {
		out.Value, err = d.expr(u.GetValueExpression())
	}
	return out, err
}

// regexStar decodes DataFrame.colRegex: the pattern stands in backquotes, after a table's name if there is one.
func regexStar(x *pb.Expression_UnresolvedRegex) (expr.Expr, error) {
	parts, err := structured.SplitName(x.GetColName())
	if err != nil {
		return nil, err
	}
	last := len(parts) - 1
	if !strings.HasSuffix(x.GetColName(), "`") {
		return &expr.UnresolvedAttr{Parts: parts, PlanID: optionalPlan(x.PlanId)}, nil
	}
	return &expr.Star{Qualifier: parts[:last], Pattern: parts[last]}, nil
}

func optionalPlan(id *int64) int64 {
	if id == nil {
		return 0
	}
	return planID(*id)
}

func (d *decoder) exprExtension(a *anypb.Any) (expr.Expr, error) {
	m, err := unpack(a)
	if err != nil {
		return nil, err
	}
	f, ok := m.(*sfpb.FilteredAggregate)
	if !ok {
		return nil, noHandler(a.GetTypeUrl())
	}
	call, err := d.expr(f.GetCall())
	if err != nil {
		return nil, err
	}
	u, ok := call.(*expr.UnresolvedCall)
	if !ok {
		return nil, missing("streamflow.connect.FilteredAggregate", "call")
	}
	if u.Filter, err = d.expr(f.GetFilter()); err != nil {
		return nil, err
	}
	return u, nil
}

// unpack reads one of StreamFlow's own messages.
func unpack(a *anypb.Any) (proto.Message, error) {
	if !strings.HasPrefix(string(a.MessageName()), "streamflow.connect.") {
		return nil, noHandler(a.GetTypeUrl())
	}
	m, err := a.UnmarshalNew()
	if err != nil {
		return nil, noHandler(a.GetTypeUrl())
	}
	return m, nil
}

func attrPlan(a *pb.Expression_UnresolvedAttribute) int64 { return optionalPlan(a.PlanId) }
