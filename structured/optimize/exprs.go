package optimize

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/sql"
)

// expr resolves an expression in a scope.
func (a *analyzer) expr(e expr.Expr, s *scope) (expr.Expr, error) {
	switch e := e.(type) {
	case *expr.UnresolvedAttr:
		return a.attr(e, s)
	case *expr.UnresolvedCall:
		return a.call(e, s)
	case *expr.UnresolvedExtract:
		return a.extract(e, s)
	case *expr.Star:
		return nil, usererr.New("INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "Invalid usage of %s.", e).At(e.Pos.Line, e.Pos.Col).
			WithFix("A star stands alone in a SELECT list, or in count(*), struct(*) and their like.")
	case *logical.SQLExpr:
		return a.sqlExpr(e, s)
	case *logical.Subquery:
		return a.scalar(e, s)
	case *logical.UpdateField:
		return a.updateField(e, s)
	case *expr.Over:
		return a.over(e, s)
	case *expr.UnresolvedLambda:
		return nil, usererr.New("INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "42K0D", "A function stands where a value is wanted: %s.", e).At(e.Pos.Line, e.Pos.Col).
			WithFix("Functions are arguments of transform, filter, exists, forall, aggregate, zip_with and their like.")
	case *expr.Alias:
		child, err := a.expr(e.Child, s)
		if err != nil {
			return nil, err
		}
		return &expr.Alias{Child: child, Name: e.Name, Names: e.Names, ID: expr.NewID()}, nil
	case *expr.Case:
		c, err := a.operands(e, s)
		if err != nil {
			return nil, err
		}
		r, err := expr.ResolveCase(c.(*expr.Case))
		return r, a.explain(err, c)
	case *expr.Cast:
		c, err := a.operands(e, s)
		if err != nil {
			return nil, err
		}
		r, err := expr.ResolveCast(c.(*expr.Cast))
		return r, a.explain(err, c)
	}
	return a.operands(e, s)
}

func (a *analyzer) exprs(list []expr.Expr, s *scope) ([]expr.Expr, error) {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		var err error
		if out[i], err = a.expr(e, s); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// operands resolves what stands below e.
func (a *analyzer) operands(e expr.Expr, s *scope) (expr.Expr, error) {
	kids := e.Children()
	if len(kids) == 0 {
		return e, nil
	}
	list, err := a.exprs(kids, s)
	if err != nil {
		return nil, err
	}
	return e.WithChildren(list), nil
}

// attr resolves a name: a column, a member of a struct column, or an earlier item of the same list. The result is named
// as the query spells it.
func (a *analyzer) attr(u *expr.UnresolvedAttr, s *scope) (expr.Expr, error) {
	if v := s.variable(u); v != nil {
		return a.members(v, u.Parts[1:], u.Pos)
	}
	found, rest, err := s.lookup(u)
	if err != nil {
		return nil, err
	}
	if found == nil {
		return a.lateral(u, s)
	}
	c := *found
	if len(rest) == 0 {
		c.Name = u.Parts[len(u.Parts)-1]
	}
	a.pos[&c] = u.Pos
	return a.members(&c, rest, u.Pos)
}

// members goes down a path of struct members.
func (a *analyzer) members(e expr.Expr, path []string, pos expr.Pos) (expr.Expr, error) {
	for _, name := range path {
		f, err := expr.GetField(e, name)
		if err != nil {
			return nil, at(a.explain(err, e), pos)
		}
		e = f
	}
	return e, nil
}

// lateral resolves a name as the alias of an earlier item of the list.
func (a *analyzer) lateral(u *expr.UnresolvedAttr, s *scope) (expr.Expr, error) {
	for i := len(s.lateral) - 1; i >= 0; i-- {
		if l := s.lateral[i]; matchesAlias(l, u) {
			return a.members(l.Child, u.Parts[1:], u.Pos)
		}
	}
	if e, err := a.outerAttr(u); e != nil || err != nil {
		return e, err
	}
	return nil, s.unresolved(u)
}

func matchesAlias(l *expr.Alias, u *expr.UnresolvedAttr) bool {
	return u.PlanID == 0 && len(l.Names) == 0 && equalFold(l.Name, u.Parts[0])
}

// call resolves a function call. Names inside an aggregate function mean the columns that are being grouped.
func (a *analyzer) call(c *expr.UnresolvedCall, s *scope) (expr.Expr, error) {
	f, known := expr.Lookup(c.Name)
	if known && f.Name == "current_database" && len(c.Args) == 0 && a.env.Database != "" {
		return expr.Lit(a.env.Database), nil
	}
	own, created := a.createdFunction(c.Name)
	created = created && (!known || own.Language == catalog.LanguageWASM)
	if !created {
		own = nil
	}
	c, err := a.byPosition(c, f, own)
	if err != nil {
		return nil, err
	}
	if created {
		return a.inlined(own, c, s)
	}
	in := s
	if known && f.Kind == expr.Aggregate && s.inner != nil {
		in = &scope{layers: [][]*expr.Attr{s.inner}, vars: s.vars}
	}
	if known && f.IsHigherOrder() {
		return a.higherOrder(f, c, s)
	}
	args, err := a.args(countsRows(c), in)
	if err != nil {
		return nil, err
	}
	r := &expr.UnresolvedCall{Name: c.Name, Args: args, Distinct: c.Distinct, Pos: c.Pos}
	if c.Filter != nil {
		if r.Filter, err = a.expr(c.Filter, in); err != nil {
			return nil, err
		}
	}
	if known && f.Kind == expr.Aggregate {
		if inner := findAgg(r.Children()); inner != nil {
			return nil, usererr.New("NESTED_AGGREGATE_FUNCTION", "42607", "An aggregate function stands inside another: %s.", columnName(c)).At(c.Pos.Line, c.Pos.Col).
				WithFix("Aggregate the inner one in a subquery.")
		}
	}
	out, err := expr.ResolveCall(r)
	return out, a.explain(err, r)
}

// explain makes an error about e speak of columns as the user wrote them, without ids, and places it.
func (a *analyzer) explain(err error, e expr.Expr) error {
	u, ok := usererr.As(err)
	if !ok {
		return err
	}
	for _, at := range attrsOf(e) {
		u.Message = strings.ReplaceAll(u.Message, at.String(), at.Name)
		for k, v := range u.Params {
			u.Params[k] = strings.ReplaceAll(v, at.String(), at.Name)
		}
	}
	return at(err, a.place(e))
}

// countsRows are a call's arguments, with count(*) as the count of a constant: it counts rows, whatever is null in them.
func countsRows(c *expr.UnresolvedCall) []expr.Expr {
	if len(c.Args) == 1 && !c.Distinct && strings.EqualFold(c.Name, "count") {
		if star, ok := c.Args[0].(*expr.Star); ok && len(star.Qualifier) == 0 {
			return []expr.Expr{expr.Lit(1)}
		}
	}
	return c.Args
}

// args resolves arguments; a star stands for all columns.
func (a *analyzer) args(list []expr.Expr, s *scope) ([]expr.Expr, error) {
	var out []expr.Expr
	for _, e := range list {
		if star, ok := e.(*expr.Star); ok {
			attrs, err := star2attrs(star, s)
			if err != nil {
				return nil, err
			}
			out = append(out, attrExprs(attrs)...)
			continue
		}
		r, err := a.expr(e, s)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func (a *analyzer) extract(e *expr.UnresolvedExtract, s *scope) (expr.Expr, error) {
	child, err := a.expr(e.Child, s)
	if err != nil {
		return nil, err
	}
	key, err := a.expr(e.Key, s)
	if err != nil {
		return nil, err
	}
	out, err := expr.Extract(child, key)
	return out, at(a.explain(err, child), e.Pos)
}

// sqlExpr parses an expression inside a DataFrame plan; its errors point into it.
func (a *analyzer) sqlExpr(e *logical.SQLExpr, s *scope) (expr.Expr, error) {
	parsed, err := sql.ParseExpr(e.Text)
	if err != nil {
		return nil, err
	}
	outer := a.text
	a.text = e.Text
	defer func() { a.text = outer }()
	out, err := a.expr(parsed, s)
	return out, a.placed(err)
}

// star2attrs are the columns that * or t.* stands for.
func star2attrs(star *expr.Star, s *scope) ([]*expr.Attr, error) {
	var out []*expr.Attr
	pattern, err := namePattern(star)
	if err != nil {
		return nil, err
	}
	for _, attr := range s.layers[0] {
		if !attr.Hidden && qualifies(attr.Qualifier, star.Qualifier) && (pattern == nil || pattern(attr.Name)) {
			out = append(out, attr)
		}
	}
	if pattern != nil {
		return out, nil
	}
	if len(out) == 0 && len(star.Qualifier) > 0 {
		return nil, usererr.New("CANNOT_RESOLVE_STAR_EXPAND", "42704", "Cannot resolve %s: there is no such table here.", star).At(star.Pos.Line, star.Pos.Col).
			WithFix("Use one of the names or aliases after FROM.")
	}
	return without(out, star)
}

// namePattern tells the names that a star's regular expression matches whole; nil when it has none. Beside Go's syntax it knows an
// optional group at the beginning that does not let go, (a)?+ as Java writes it, by which queries leave a column out.
func namePattern(star *expr.Star) (func(name string) bool, error) {
	if star.Pattern == "" {
		return nil, nil
	}
	group, rest := "", star.Pattern
	if g, r, ok := strings.Cut(star.Pattern, ")?+"); ok && strings.HasPrefix(g, "(") {
		group, rest = g+")", r
	}
	re, err := regexp.Compile("(?is)^(?:" + rest + ")$")
	var first *regexp.Regexp
	if err == nil {
		first, err = regexp.Compile("(?is)^" + group)
	}
	if err == nil {
		return func(name string) bool { return re.MatchString(name[len(first.FindString(name)):]) }, nil
	}
	return nil, usererr.New("INVALID_PARAMETER_VALUE.PATTERN", "22023", "The pattern %q for column names is no regular expression: %v.", star.Pattern, err).At(star.Pos.Line, star.Pos.Col)
}

// without are the columns that EXCEPT does not name.
func without(attrs []*expr.Attr, star *expr.Star) ([]*expr.Attr, error) {
	for _, name := range star.Except {
		found := matching(attrs, nil, name)
		if len(found) == 0 {
			s := &scope{layers: [][]*expr.Attr{attrs}}
			return nil, s.unresolved(&expr.UnresolvedAttr{Parts: []string{name}, Pos: star.Pos})
		}
		drop := idsOf(found)
		var rest []*expr.Attr
		for _, a := range attrs {
			if !drop[a.ID] {
				rest = append(rest, a)
			}
		}
		attrs = rest
	}
	return attrs, nil
}

// at places an error that has no place.
func at(err error, pos expr.Pos) error {
	if u, ok := usererr.As(err); ok && u.Line == 0 && pos.Line > 0 {
		u.At(pos.Line, pos.Col)
	}
	return err
}

// findAgg is the first aggregate within the expressions.
func findAgg(list []expr.Expr) *expr.Agg {
	var found *expr.Agg
	for _, e := range list {
		expr.Walk(e, func(x expr.Expr) bool {
			if g, ok := x.(*expr.Agg); ok && found == nil {
				found = g
			}
			return found == nil
		})
	}
	return found
}

// unalias is what an alias names.
func unalias(e expr.Expr) expr.Expr {
	if l, ok := e.(*expr.Alias); ok {
		return l.Child
	}
	return e
}

// same is a text under which expressions of the same meaning are equal: attributes by id, however they were spelt.
func same(e expr.Expr) string {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		switch x := x.(type) {
		case *expr.Attr:
			return &expr.Attr{ID: x.ID, Typ: x.Typ}
		case *expr.Alias:
			return x.Child
		case *expr.Literal:
			return &expr.Call{Fn: fmt.Sprintf("%s:%v", x.Typ, x.Value)}
		}
		return x
	}).String()
}

// attrsOf are the attributes that an expression reads.
func attrsOf(e expr.Expr) []*expr.Attr {
	var out []*expr.Attr
	expr.Walk(e, func(x expr.Expr) bool {
		if a, ok := x.(*expr.Attr); ok {
			out = append(out, a)
		}
		return true
	})
	return out
}

// findAttr reports whether the expressions read the attribute.
func findAttr(list []expr.Expr, a *expr.Attr) bool {
	for _, e := range list {
		for _, x := range attrsOf(e) {
			if x.ID == a.ID {
				return true
			}
		}
	}
	return false
}
