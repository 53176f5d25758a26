package expr

import "fmt"

// Bind replaces each Attr by the position of the attribute with its ID in input. A missing one is a planner's mistake.
func Bind(e Expr, input []*Attr) (Expr, error) {
	at := make(map[int64]int, len(input))
	for i, a := range input {
		at[a.ID] = i
	}
	return TransformErr(e, func(x Expr) (Expr, error) {
		a, ok := x.(*Attr)
		if !ok {
			return x, nil
		}
		i, ok := at[a.ID]
		if !ok {
			return nil, fmt.Errorf("expr: bind: %s is not among the input columns %v", a, input)
		}
		return &Column{Index: i, Name: a.Name, Typ: a.Typ, Null: a.Null || input[i].Null}, nil
	})
}
