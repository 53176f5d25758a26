package optimize

import (
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// scope is what a name may mean at some place: attributes, searched in layers, the first layer that knows the name wins.
type scope struct {
	layers  [][]*expr.Attr
	lateral []*expr.Alias // earlier items of the same SELECT list, tried last
	inner   []*expr.Attr  // what names inside aggregate functions mean, when it is another layer

	plan logical.Plan // whose output the names mean, when it is one plan's alone

	vars []*expr.LambdaVar // parameters of the lambdas around, the innermost last; they are tried first
}

// over is the scope of a node's expressions: its child's output.
func over(kids ...logical.Plan) *scope {
	var all []*expr.Attr
	for _, k := range kids {
		all = append(all, k.Output()...)
	}
	s := &scope{layers: [][]*expr.Attr{all}}
	if len(kids) == 1 {
		s.plan = kids[0]
	}
	return s
}

// lookup finds the attribute that parts name, and the parts after it: members of a struct. A nil attribute without an
// error means that there is none.
func (s *scope) lookup(u *expr.UnresolvedAttr) (*expr.Attr, []string, error) {
	for _, layer := range s.layers {
		a, rest, err := lookupIn(layer, u)
		if a != nil || err != nil {
			return a, rest, err
		}
	}
	return nil, nil, nil
}

// lookupIn tries the longest qualifier first: in a.b.c, c of table a.b before member c of column b of table a.
func lookupIn(attrs []*expr.Attr, u *expr.UnresolvedAttr) (*expr.Attr, []string, error) {
	if u.PlanID != 0 {
		if a, rest, err := lookupPlan(attrs, u); a != nil || err != nil {
			return a, rest, err
		}
	}
	for k := len(u.Parts) - 1; k >= 0; k-- {
		found := matching(attrs, u.Parts[:k], u.Parts[k])
		switch {
		case len(found) == 1:
			return found[0], u.Parts[k+1:], nil
		case len(found) > 1:
			return nil, nil, ambiguous(u, found)
		}
	}
	return nil, nil, nil
}

// lookupPlan looks among the columns of the relation that a client means by df["a"].
func lookupPlan(attrs []*expr.Attr, u *expr.UnresolvedAttr) (*expr.Attr, []string, error) {
	var of []*expr.Attr
	for _, a := range attrs {
		for _, id := range a.PlanIDs {
			if id == u.PlanID {
				of = append(of, a)
				break
			}
		}
	}
	found := matching(of, nil, u.Parts[0])
	switch {
	case len(found) == 1:
		return found[0], u.Parts[1:], nil
	case len(found) > 1:
		return nil, nil, usererr.New("AMBIGUOUS_COLUMN_REFERENCE", "42702", "Column `%s` is ambiguous: both sides hold the DataFrame that it comes from.", strings.Join(u.Parts, ".")).
			At(u.Pos.Line, u.Pos.Col).WithFix(`Give the DataFrames aliases, df.alias("a"), and write col("a.%s").`, u.Parts[0])
	}
	return nil, nil, nil
}

// matching are the attributes of that name under the qualifier; a hidden one counts only when no other does.
func matching(attrs []*expr.Attr, qualifier []string, name string) []*expr.Attr {
	var shown, hidden []*expr.Attr
	for _, a := range attrs {
		if !strings.EqualFold(a.Name, name) || !qualifies(a.Qualifier, qualifier) {
			continue
		}
		if a.Hidden {
			hidden = appendNew(hidden, a)
		} else {
			shown = appendNew(shown, a)
		}
	}
	if len(shown) > 0 {
		return shown
	}
	return hidden
}

func appendNew(list []*expr.Attr, a *expr.Attr) []*expr.Attr {
	for _, b := range list {
		if b.ID == a.ID {
			return list
		}
	}
	return append(list, a)
}

// qualifies reports whether q, as written before a column, is the end of the column's own qualifier.
func qualifies(own, q []string) bool {
	if len(q) > len(own) {
		return false
	}
	tail := own[len(own)-len(q):]
	for i := range q {
		if !strings.EqualFold(tail[i], q[i]) {
			return false
		}
	}
	return true
}

func ambiguous(u *expr.UnresolvedAttr, found []*expr.Attr) error {
	names := make([]string, len(found))
	for i, a := range found {
		names[i] = quoted(append(append([]string{}, a.Qualifier...), a.Name))
	}
	all := strings.Join(names, ", ")
	return usererr.New("AMBIGUOUS_REFERENCE", "42704", "Reference %s is ambiguous, could be: [%s].", quoted(u.Parts), all).
		With("name", quoted(u.Parts)).With("referenceNames", "["+all+"]").At(u.Pos.Line, u.Pos.Col).
		WithFix("Write the table's name or alias before the column.")
}

// unresolved is the error for a name that means nothing, with the columns that resemble it.
func (s *scope) unresolved(u *expr.UnresolvedAttr) error {
	var all []string
	byName := map[string]string{}
	for _, layer := range s.layers {
		for _, a := range layer {
			if a.Hidden {
				continue
			}
			if _, ok := byName[a.Name]; !ok {
				all = append(all, a.Name)
				byName[a.Name] = quoted(append(append([]string{}, a.Qualifier...), a.Name))
			}
		}
	}
	name := quoted(u.Parts)
	if len(all) == 0 {
		return usererr.New("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", "A column, variable, or function parameter with name %s cannot be resolved.", name).
			With("objectName", name).At(u.Pos.Line, u.Pos.Col).WithFix("There are no columns here; text is written in 'single quotes'.")
	}
	near := usererr.Nearest(u.Parts[len(u.Parts)-1], all, 5)
	if len(near) == 0 {
		near = all[:min(len(all), 5)]
	}
	for i, n := range near {
		near[i] = byName[n]
	}
	list := strings.Join(near, ", ")
	return usererr.New("UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "A column, variable, or function parameter with name %s cannot be resolved.", name).
		With("objectName", name).With("proposal", list).At(u.Pos.Line, u.Pos.Col).
		WithFix("Did you mean one of the following? [%s].", list)
}

// quoted is a dotted name in backquotes.
func quoted(parts []string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = "`" + strings.ReplaceAll(p, "`", "``") + "`"
	}
	return strings.Join(q, ".")
}
