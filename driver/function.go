package driver

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
)

// function finds a function that CREATE FUNCTION made: a temporary one of the session first.
func (s *Session) function(name string) (*catalog.Function, bool) {
	if f, ok := s.funcs.Get(name); ok {
		return f, true
	}
	f, ok := s.engine.opts.Catalog.Function(name)
	if ok && f.Language == catalog.LanguageWASM {
		if err := s.engine.loadModule(f); err != nil {
			s.engine.log.Error("function cannot be loaded", "function", name, "err", err)
			return nil, false
		}
	}
	return f, ok
}

func (s *Session) createFunction(ctx context.Context, p *logical.CreateFunction, artifact artifacts, src string) error {
	name := catalog.Name(p.Name, s.currentDatabase())
	if p.Temporary {
		name = strings.Join(p.Name, ".")
	}
	if f, builtin := expr.Lookup(name); builtin && f.Group != expr.UserGroup {
		return usererr.New("ROUTINE_ALREADY_EXISTS", "42723", "Cannot create the routine `%s` because a built-in routine of that name exists.", name).With("routineName", "`"+name+"`").WithFix("Give it another name.")
	}
	if _, taken := s.function(name); taken && p.IfNotExist {
		return nil
	}
	switch {
	case p.Language == catalog.LanguageWASM:
		return s.createModuleFunction(ctx, p, name, artifact)
	case p.Body == nil && p.Language != catalog.LanguageExpr:
		return usererr.New("UNSUPPORTED_FEATURE.FUNCTION_LANGUAGE", "0A000", "Functions in the language %s are not supported by CREATE FUNCTION.", p.Language).
			WithFix("Write RETURN expression in SQL, LANGUAGE EXPR AS 'expression', or USING WASM 'file'.")
	}
	if _, err := optimize.Analyze(ctx, p, s.env(src, "")); err != nil {
		return err
	}
	f := optimize.FunctionOf(p, name)
	if p.Temporary {
		return s.funcs.Put(f, p.OrReplace)
	}
	return s.engine.opts.Catalog.CreateFunction(ctx, f, p.OrReplace)
}

func (s *Session) dropFunction(ctx context.Context, p *logical.DropFunction) error {
	name := strings.Join(p.Name, ".")
	if s.funcs.Drop(name) {
		return nil
	}
	if !p.Temporary {
		name = catalog.Name(p.Name, s.currentDatabase())
		f, _ := s.engine.opts.Catalog.Function(name)
		if ok, err := s.engine.opts.Catalog.DropFunction(ctx, name); ok || err != nil {
			if ok && f != nil && f.Language == catalog.LanguageWASM {
				s.engine.modules.unload(name)
			}
			return err
		}
	}
	if _, builtin := expr.Lookup(name); builtin {
		return usererr.New("FORBIDDEN_OPERATION", "42809", "The operation DROP FUNCTION is not allowed on the built-in function `%s`.", name)
	}
	if p.IfExists {
		return nil
	}
	return s.noFunction(name)
}

func (s *Session) noFunction(name string) error {
	var names []string
	for _, f := range s.ownFunctions() {
		names = append(names, f.Name)
	}
	e := usererr.New("ROUTINE_NOT_FOUND", "42883", "The routine `%s` cannot be found.", name).With("routineName", "`"+name+"`")
	if near := usererr.Nearest(name, names, 1); len(near) > 0 {
		return e.WithFix("Did you mean %s?", near[0])
	}
	return e.WithFix("SHOW USER FUNCTIONS lists those that there are.")
}

// ownFunctions are the functions that CREATE FUNCTION made.
func (s *Session) ownFunctions() []*catalog.Function {
	return append(s.funcs.List(), s.engine.opts.Catalog.Functions()...)
}

func (s *Session) userFunctionNames(match func(string) bool) (rows [][]any) {
	for _, f := range s.ownFunctions() {
		if match(f.Name) {
			rows = append(rows, []any{f.Name})
		}
	}
	return rows
}

// describeOwn is DESCRIBE FUNCTION of a function that CREATE FUNCTION made.
func describeOwn(f *catalog.Function) (structured.Rows, error) {
	rows := [][]any{{"Function: " + f.Name}, {"Type: SCALAR"}, {"Usage: " + f.Usage()}}
	if f.Returns.Kind != column.Null {
		rows = append(rows, []any{"Returns: " + strings.ToUpper(f.Returns.String())})
	}
	if f.Comment != "" {
		rows = append(rows, []any{"Comment: " + f.Comment})
	}
	if f.Language == catalog.LanguageWASM {
		return table(text("function_desc"), append(rows, []any{"Module: " + f.Module})...)
	}
	return table(text("function_desc"), append(rows, []any{"Body: " + f.Body})...)
}
