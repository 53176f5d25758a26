package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// updateField resolves Column.withField and dropFields: a new struct of the members that there are. A null struct stays null.
func (a *analyzer) updateField(e *logical.UpdateField, s *scope) (expr.Expr, error) {
	child, err := a.expr(e.Child, s)
	if err != nil {
		return nil, err
	}
	var value expr.Expr
	if e.Value != nil {
		if value, err = a.expr(e.Value, s); err != nil {
			return nil, err
		}
	}
	out, err := rebuilt(child, e.Path, value)
	if err != nil {
		return nil, a.explain(err, child)
	}
	return out, nil
}

// rebuilt is the struct with the member at path replaced, added, or, for a nil value, left out.
func rebuilt(child expr.Expr, path []string, value expr.Expr) (expr.Expr, error) {
	t := child.DataType()
	if t.Kind != column.Struct {
		return nil, usererr.New("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "42K09", "A member can be set or dropped in a struct, but %q is of type %s.", columnName(child), strings.ToUpper(t.String()))
	}
	var args []expr.Expr
	found := false
	for _, f := range t.Fields {
		member, err := expr.GetField(child, f.Name)
		if err != nil {
			return nil, err
		}
		if strings.EqualFold(f.Name, path[0]) {
			found = true
			switch {
			case len(path) > 1:
				if member, err = rebuilt(member, path[1:], value); err != nil {
					return nil, err
				}
			case value == nil:
				continue
			default:
				f.Name, member = path[0], value
			}
		}
		args = append(args, expr.Lit(f.Name), member)
	}
	switch {
	case !found && len(path) > 1:
		return nil, usererr.New("FIELD_NOT_FOUND", "42704", "No such struct field `%s` in %s.", path[0], strings.Join(memberNames(t), ", "))
	case !found && value != nil:
		args = append(args, expr.Lit(path[0]), value)
	case len(args) == 0:
		return nil, usererr.New("DATATYPE_MISMATCH.CANNOT_DROP_ALL_FIELDS", "42K09", "Cannot drop all fields in struct.").WithFix("Drop the column itself.")
	}
	built, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "named_struct", Args: args})
	if err != nil || !child.Nullable() {
		return built, err
	}
	missing, err := expr.ResolveCall(&expr.UnresolvedCall{Name: "isnull", Args: []expr.Expr{child}})
	if err != nil {
		return nil, err
	}
	return expr.ResolveCase(&expr.Case{Whens: []expr.Expr{missing}, Thens: []expr.Expr{expr.Lit(nil)}, Else: built})
}

func memberNames(t column.Type) []string {
	var out []string
	for _, f := range t.Fields {
		out = append(out, f.Name)
	}
	return out
}
