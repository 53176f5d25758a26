package logical

import (
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// bare is what commands without a query inside have in common.
type bare struct{}

func (bare) Children() []Plan     { return nil }
func (bare) Exprs() []expr.Expr   { return nil }
func (bare) Output() []*expr.Attr { return nil }
func (bare) Resolved() bool       { return true }

// AlterTable changes the definition of a table or view.
type AlterTable struct {
	bare
	Name   []string
	View   bool
	Action AlterAction
	Pos    expr.Pos
}

// AlterAction is one of the Alter… types.
type AlterAction interface{ String() string }

type (
	// AlterAdd adds columns at the end, or where First and After say.
	AlterAdd struct{ Columns []AlterColumn }
	// AlterColumn is a new column and its place: First, behind the column After, or last.
	AlterColumn struct {
		Field column.Field
		First bool
		After string
	}
	// AlterRename gives a column another name.
	AlterRename struct{ From, To string }
	// AlterDrop removes columns.
	AlterDrop struct {
		Names    []string
		IfExists bool
	}
	// AlterNullable lets a NOT NULL column have nulls.
	AlterNullable struct{ Name string }
	// AlterSet sets properties; AlterUnset removes them.
	AlterSet   struct{ Properties map[string]string }
	AlterUnset struct {
		Keys     []string
		IfExists bool
	}
	// AlterName gives the table or view itself another name.
	AlterName struct{ Name []string }
	// AlterLocation moves the table to files elsewhere.
	AlterLocation struct{ Path string }
	// AlterQuery gives a view another query.
	AlterQuery struct {
		Query Plan
		SQL   string
	}
)

func (a AlterAdd) String() string {
	cols := make([]string, len(a.Columns))
	for i, c := range a.Columns {
		cols[i] = c.Field.Name + " " + c.Field.Type.String()
		if c.First {
			cols[i] += " first"
		}
		if c.After != "" {
			cols[i] += " after " + c.After
		}
	}
	return "add " + strings.Join(cols, ", ")
}
func (a AlterRename) String() string { return "rename " + a.From + " to " + a.To }
func (a AlterDrop) String() string {
	return "drop " + strings.Join(a.Names, ", ") + flag(a.IfExists, "if exists")
}
func (a AlterNullable) String() string { return "drop not null of " + a.Name }
func (a AlterSet) String() string      { return "set " + options(a.Properties) }
func (a AlterUnset) String() string {
	return "unset " + strings.Join(a.Keys, ", ") + flag(a.IfExists, "if exists")
}
func (a AlterName) String() string     { return "rename to " + strings.Join(a.Name, ".") }
func (a AlterLocation) String() string { return "location " + a.Path }
func (a AlterQuery) String() string    { return "as " + a.SQL }

func (p *AlterTable) WithChildren([]Plan) Plan   { return p }
func (p *AlterTable) WithExprs([]expr.Expr) Plan { return p }
func (p *AlterTable) String() string {
	what := "AlterTable "
	if p.View {
		what = "AlterView "
	}
	return what + strings.Join(p.Name, ".") + " " + p.Action.String()
}

// CreateDatabase and DropDatabase make and remove a database. Cascade removes its tables too.
type CreateDatabase struct {
	bare
	Name        string
	Properties  map[string]string
	IfNotExists bool
	Pos         expr.Pos
}

type DropDatabase struct {
	bare
	Name              string
	IfExists, Cascade bool
	Pos               expr.Pos
}

func (p *CreateDatabase) WithChildren([]Plan) Plan   { return p }
func (p *CreateDatabase) WithExprs([]expr.Expr) Plan { return p }
func (p *CreateDatabase) String() string {
	return "CreateDatabase " + p.Name + flag(p.IfNotExists, "if not exists")
}
func (p *DropDatabase) WithChildren([]Plan) Plan   { return p }
func (p *DropDatabase) WithExprs([]expr.Expr) Plan { return p }
func (p *DropDatabase) String() string {
	return "DropDatabase " + p.Name + flag(p.IfExists, "if exists") + flag(p.Cascade, "cascade")
}

// CreateFunction names an expression over parameters, or code in another language.
type CreateFunction struct {
	bare
	Name       []string
	Params     []FunctionParam
	Returns    column.Type // of Kind Null when the statement does not say
	Body       expr.Expr   // RETURN expression; nil for another language
	SQL        string      // its text
	Language   string      // "SQL", or what LANGUAGE says, in upper case
	Source     string      // AS 'text'
	UsingKind  string      // USING kind 'file', in upper case
	UsingFile  string
	Options    map[string]string
	Comment    string
	Temporary  bool
	OrReplace  bool
	IfNotExist bool
	Pos        expr.Pos
}

// FunctionParam is a parameter: Default is the text of its default value, "" for none.
type FunctionParam struct {
	Name    string
	Type    column.Type
	Default string
}

func (p *CreateFunction) WithChildren([]Plan) Plan   { return p }
func (p *CreateFunction) WithExprs([]expr.Expr) Plan { return p }
func (p *CreateFunction) String() string {
	params := make([]string, len(p.Params))
	for i, f := range p.Params {
		params[i] = f.Name + " " + f.Type.String()
		if f.Default != "" {
			params[i] += " default " + f.Default
		}
	}
	s := "CreateFunction " + strings.Join(p.Name, ".") + "(" + strings.Join(params, ", ") + ")"
	if p.Returns.Kind != column.Null {
		s += " returns " + p.Returns.String()
	}
	s += " language " + p.Language
	switch {
	case p.Body != nil:
		s += " return " + p.Body.String()
	case p.Source != "":
		s += " as '" + p.Source + "'"
	}
	if p.UsingFile != "" {
		s += " using " + p.UsingKind + " '" + p.UsingFile + "'"
	}
	return s + flag(p.Temporary, "temporary") + flag(p.OrReplace, "or replace") + flag(p.IfNotExist, "if not exists")
}

// DropFunction removes a function that CREATE FUNCTION made.
type DropFunction struct {
	bare
	Name                []string
	Temporary, IfExists bool
	Pos                 expr.Pos
}

func (p *DropFunction) WithChildren([]Plan) Plan   { return p }
func (p *DropFunction) WithExprs([]expr.Expr) Plan { return p }
func (p *DropFunction) String() string {
	return "DropFunction " + strings.Join(p.Name, ".") + flag(p.Temporary, "temporary") + flag(p.IfExists, "if exists")
}

// Refresh forgets what is kept of a table's content or files.
type Refresh struct {
	bare
	Name []string
	Pos  expr.Pos
}

func (p *Refresh) WithChildren([]Plan) Plan   { return p }
func (p *Refresh) WithExprs([]expr.Expr) Plan { return p }
func (p *Refresh) String() string             { return "Refresh " + strings.Join(p.Name, ".") }
