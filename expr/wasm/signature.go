package wasm

import (
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/api"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Signature is a function as SQL sees it.
type Signature struct {
	Name    string
	Args    []column.Field
	Returns column.Type
}

func (s Signature) String() string {
	args := make([]string, len(s.Args))
	for i, a := range s.Args {
		args[i] = a.Name + " " + strings.ToUpper(a.Type.String())
	}
	return fmt.Sprintf("%s(%s) RETURNS %s", s.Name, strings.Join(args, ", "), strings.ToUpper(s.Returns.String()))
}

// valueTypes are the WebAssembly types that carry a value of a SQL type; nil when none do.
func valueTypes(t column.Type) []api.ValueType {
	switch t.Kind {
	case column.Bool, column.Int8, column.Int16, column.Int32, column.Date:
		return []api.ValueType{api.ValueTypeI32}
	case column.Int64, column.Timestamp, column.TimestampNTZ, column.IntervalDT:
		return []api.ValueType{api.ValueTypeI64}
	case column.Float32:
		return []api.ValueType{api.ValueTypeF32}
	case column.Float64:
		return []api.ValueType{api.ValueTypeF64}
	case column.String, column.Binary:
		return []api.ValueType{api.ValueTypeI32, api.ValueTypeI32}
	}
	return nil
}

// params are the WebAssembly parameters of the function by rows.
func (s Signature) params() []api.ValueType {
	var out []api.ValueType
	for _, a := range s.Args {
		out = append(out, valueTypes(a.Type)...)
	}
	return out
}

// resultTypes are the WebAssembly types of a result.
func resultTypes(t column.Type) []api.ValueType {
	if t.Kind.Storage() == column.StorageBytes {
		return []api.ValueType{api.ValueTypeI64}
	}
	return valueTypes(t)
}

// width is the number of bytes of a row of a fixed-width type in the batch form.
func width(t column.Type) int {
	switch valueTypes(t)[0] {
	case api.ValueTypeI64, api.ValueTypeF64:
		return 8
	}
	return 4
}

// check compares the signature with what the module exports: rows is the export by rows, batch that by batches; either may be
// nil, not both.
func (s Signature) check(rows, batch api.FunctionDefinition, alloc bool) error {
	strs := s.Returns.Kind.Storage() == column.StorageBytes
	var want []api.ValueType
	for i, a := range s.Args {
		v := valueTypes(a.Type)
		if v == nil {
			return s.bad("argument %d is of type %s, which WebAssembly functions do not take", i+1, a.Type)
		}
		strs = strs || a.Type.Kind.Storage() == column.StorageBytes
		want = append(want, v...)
	}
	if valueTypes(s.Returns) == nil {
		return s.bad("the result is of type %s, which WebAssembly functions do not give", s.Returns)
	}
	switch {
	case batch != nil:
		if !same(batch.ParamTypes(), repeat(api.ValueTypeI32, 3)) || !same(batch.ResultTypes(), repeat(api.ValueTypeI32, 1)) {
			return s.bad("%s_batch has the type %s, it should be (i32, i32, i32) -> i32", s.Name, typeText(batch))
		}
	case rows == nil:
		return s.bad("the module exports neither %s nor %s_batch", s.Name, s.Name)
	case !same(rows.ParamTypes(), want) || !same(rows.ResultTypes(), resultTypes(s.Returns)):
		return s.bad("the export has the type %s, it should be %s", typeText(rows), arrow(want, resultTypes(s.Returns)))
	}
	if (strs || batch != nil) && !alloc {
		return s.bad("the module does not export sf_alloc(i32) -> i32, in which the host puts strings and batches")
	}
	return nil
}

func (s Signature) bad(format string, args ...any) error {
	return usererr.New("INVALID_WASM_FUNCTION", "38000", "The function %s cannot be taken from the module: %s.", s, fmt.Sprintf(format, args...)).
		WithFix("Declare it as the module has it; docs/guide/functions.md shows both forms.")
}

func same(a, b []api.ValueType) bool { return string(a) == string(b) }

func repeat(t api.ValueType, n int) []api.ValueType {
	out := make([]api.ValueType, n)
	for i := range out {
		out[i] = t
	}
	return out
}

func typeText(f api.FunctionDefinition) string { return arrow(f.ParamTypes(), f.ResultTypes()) }

func arrow(in, out []api.ValueType) string {
	return "(" + names(in) + ") -> " + names(out)
}

func names(list []api.ValueType) string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = api.ValueTypeName(t)
	}
	return strings.Join(out, ", ")
}
