package connect

import (
	"strings"

	"github.com/streamflow/streamflow/expr"

	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
)

func (d *decoder) lambda(l *pb.Expression_LambdaFunction) (expr.Expr, error) {
	body, err := d.expr(l.GetFunction())
	if err != nil {
		return nil, err
	}
	out := &expr.UnresolvedLambda{Body: body}
	for _, a := range l.GetArguments() {
		out.Params = append(out.Params, strings.Join(a.GetNameParts(), "."))
	}
	return out, nil
}

// lambdaToProto writes a lambda; a name in its body that is one of its parameters is one by its name alone.
func lambdaToProto(l *expr.UnresolvedLambda) (*pb.Expression, error) {
	body, err := exprToProto(l.Body)
	out := &pb.Expression_LambdaFunction{Function: body}
	for _, p := range l.Params {
		out.Arguments = append(out.Arguments, &pb.Expression_UnresolvedNamedLambdaVariable{NameParts: []string{p}})
	}
	return &pb.Expression{ExprType: &pb.Expression_LambdaFunction_{LambdaFunction: out}}, err
}
