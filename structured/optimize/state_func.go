package optimize

import (
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// The data sources that read the state of streaming queries, and list what keeps it.
const (
	stateSource    = "statestore"
	metadataSource = "state-metadata"
)

// stateNames are the arguments of state() by their place, and those that are only given by name: options of the source.
var (
	stateNames = []string{"query", "operator", "version"}
	stateOnly  = []string{"batchId", "operatorId", "storeName", "joinSide", "snapshotStartBatchId", "snapshotPartitionId", "readChangeFeed", "changeStartBatchId", "changeEndBatchId"}
)

// stateOf is state(query, operator[, version][, name => value …]): the entries that an operator of a streaming query keeps.
func (a *analyzer) stateOf(f *logical.TableFunc) (logical.Plan, error) {
	u := &logical.UnresolvedTable{Format: stateSource, Options: map[string]string{}, Pos: f.Pos}
	place := 0
	for i := range f.Args {
		name := ""
		if f.Names != nil {
			name = f.Names[i]
		}
		if name == "" && place < len(stateNames) {
			name = stateNames[place]
			place++
		}
		if err := a.stateOption(f, u.Options, i, name); err != nil {
			return nil, err
		}
	}
	if u.Options["query"] == "" || u.Options["operator"] == "" && u.Options["operatorId"] == "" {
		return nil, wrongStateArgs(f)
	}
	return a.source(u)
}

func wrongStateArgs(f *logical.TableFunc) error {
	return usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `state` requires 2 or 3 parameters, and others by name, but the actual number is %d.", len(f.Args)).
		At(f.Pos.Line, f.Pos.Col).WithFix("It is written state('query', 'operator'[, version => 7]); state_metadata('query') lists operators and versions.")
}

// stateOption evaluates argument i and sets the option of that name.
func (a *analyzer) stateOption(f *logical.TableFunc, options map[string]string, i int, name string) error {
	if name == "" {
		return wrongStateArgs(f)
	}
	all := append(slices.Clone(stateNames), stateOnly...)
	found := slices.IndexFunc(all, func(s string) bool { return strings.EqualFold(s, name) })
	if found < 0 {
		e := usererr.New("UNRECOGNIZED_PARAMETER_NAME", "4274K", "Cannot invoke function `state` because the function call included a named argument reference for the argument named `%s`, but this function does not include any signature containing an argument with this name.", name).At(f.Pos.Line, f.Pos.Col)
		if near := usererr.Nearest(name, all, 1); len(near) > 0 {
			return e.WithFix("Did you mean %s?", near[0])
		}
		return e.WithFix("It has %s.", strings.Join(all, ", "))
	}
	if _, twice := options[all[found]]; twice {
		return usererr.New("DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "4274K", "Call to routine `state` is invalid because it includes multiple argument assignments to the same parameter name `%s`.", all[found]).At(f.Pos.Line, f.Pos.Col)
	}
	e, err := a.expr(f.Args[i], &scope{layers: [][]*expr.Attr{nil}})
	if err != nil {
		return err
	}
	l, err := expr.EvalLiteralIn(a.env.Session, expr.Coerce(e, column.Of(column.String)))
	if err != nil {
		return at(err, f.Pos)
	}
	if l.Value == nil {
		return usererr.New("UNEXPECTED_INPUT_TYPE", "42K09", "Argument %d of state is null.", i+1).At(f.Pos.Line, f.Pos.Col)
	}
	options[all[found]] = fmt.Sprint(l.Value)
	return nil
}

// metadataOf is state_metadata(query): the operators of a streaming query that keep state.
func (a *analyzer) metadataOf(f *logical.TableFunc) (logical.Plan, error) {
	if len(f.Args) != 1 {
		return nil, usererr.New("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The `state_metadata` requires 1 parameter but the actual number is %d.", len(f.Args)).At(f.Pos.Line, f.Pos.Col).
			WithFix("It is written state_metadata('query').")
	}
	u := &logical.UnresolvedTable{Format: metadataSource, Options: map[string]string{}, Pos: f.Pos}
	if err := a.stateOption(f, u.Options, 0, "query"); err != nil {
		return nil, err
	}
	return a.source(u)
}
