package catalog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// KindFunction is the kind of a function's entry.
const KindFunction = "function"

func functionKey(name string) string { return "function:" + strings.ToLower(name) }

// Languages of functions.
const (
	LanguageSQL  = "SQL"  // Body is a SQL expression over the parameters
	LanguageExpr = "EXPR" // Body is one in the language of sfsubmit expr
	LanguageWASM = "WASM" // the module with the id Module exports it
)

// Function is a function made by CREATE FUNCTION.
type Function struct {
	Name     string
	Language string
	Params   []Param
	Returns  column.Type // of Kind Null: the type of the body
	Body     string
	Comment  string

	Module  string        // WASM only: see Node.Module
	Export  string        // the name by which the module exports it
	Memory  int64         // bytes that it may use; 0: the default
	Timeout time.Duration // that a batch may take; 0: the default
}

// Param is a parameter; Default is the text of its default value, "" for none.
type Param struct {
	Name    string
	Type    column.Type
	Default string
}

// Usage is how the function is called.
func (f *Function) Usage() string {
	params := make([]string, len(f.Params))
	for i, p := range f.Params {
		params[i] = p.Name + " " + strings.ToUpper(p.Type.String())
		if p.Default != "" {
			params[i] += " DEFAULT " + p.Default
		}
	}
	return f.Name + "(" + strings.Join(params, ", ") + ")"
}

// functionRecord is the stored form, JSON with a version.
type functionRecord struct {
	Version int           `json:"v"`
	Name    string        `json:"name"`
	Params  []paramRecord `json:"params,omitempty"`
	Returns string        `json:"returns,omitempty"`
	Body    string        `json:"body"`
	Comment string        `json:"comment,omitempty"`

	Language string        `json:"language,omitempty"` // not there: SQL
	Module   string        `json:"module,omitempty"`
	Export   string        `json:"export,omitempty"`
	Memory   int64         `json:"memory,omitempty"`
	Timeout  time.Duration `json:"timeout_ns,omitempty"`
}

type paramRecord struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default,omitempty"`
}

func (f *Function) encode() ([]byte, error) {
	r := functionRecord{Version: recordVersion, Name: f.Name, Body: f.Body, Comment: f.Comment,
		Module: f.Module, Export: f.Export, Memory: f.Memory, Timeout: f.Timeout}
	if f.Language != LanguageSQL {
		r.Language = f.Language
	}
	if f.Returns.Kind != column.Null {
		r.Returns = f.Returns.String()
	}
	for _, p := range f.Params {
		r.Params = append(r.Params, paramRecord{p.Name, p.Type.String(), p.Default})
	}
	return json.Marshal(r)
}

func decodeFunction(s Stored) (*Function, error) {
	var r functionRecord
	if err := json.Unmarshal(s.Body, &r); err != nil {
		return nil, fmt.Errorf("catalog: definition of function %s: %w", s.Name, err)
	}
	if r.Version != recordVersion {
		return nil, fmt.Errorf("catalog: definition of function %s has version %d, this release reads %d", s.Name, r.Version, recordVersion)
	}
	f := &Function{Name: r.Name, Body: r.Body, Comment: r.Comment, Returns: column.Of(column.Null), Language: cmp.Or(r.Language, LanguageSQL),
		Module: r.Module, Export: r.Export, Memory: r.Memory, Timeout: r.Timeout}
	var err error
	if r.Returns != "" {
		if f.Returns, err = typeOf(r.Returns); err != nil {
			return nil, err
		}
	}
	for _, p := range r.Params {
		t, err := typeOf(p.Type)
		if err != nil {
			return nil, err
		}
		f.Params = append(f.Params, Param{p.Name, t, p.Default})
	}
	return f, nil
}

// typeOf reads a type by way of DDL.
func typeOf(text string) (column.Type, error) {
	s, err := column.ParseDDL("x " + text)
	if err != nil {
		return column.Type{}, fmt.Errorf("catalog: type %s: %w", text, err)
	}
	return s.Fields[0].Type, nil
}

// FunctionExists is the error for a name that a function has.
func FunctionExists(name string) *usererr.Error {
	return usererr.New("ROUTINE_ALREADY_EXISTS", "42723", "Cannot create the routine `%s` because a routine of that name already exists.", name).
		With("routineName", "`"+name+"`").WithFix("Choose another name, or write CREATE OR REPLACE FUNCTION.")
}

// CreateFunction keeps a function.
func (n *Node) CreateFunction(ctx context.Context, f *Function, replace bool) error {
	old, ok := n.Function(f.Name)
	if ok && !replace {
		return FunctionExists(f.Name)
	}
	body, err := f.encode()
	if err != nil {
		return err
	}
	if err := n.entries.Put(ctx, Stored{Name: functionKey(f.Name), Kind: KindFunction, Body: body}, true); err != nil {
		return err
	}
	if ok && old.Module != "" {
		return n.dropUnused(ctx, old.Module)
	}
	return nil
}

// Function finds a function by name.
func (n *Node) Function(name string) (*Function, bool) {
	s, ok := n.entries.Get(functionKey(name))
	if !ok || s.Kind != KindFunction {
		return nil, false
	}
	f, err := decodeFunction(s)
	return f, err == nil
}

// DropFunction forgets a function and reports whether there was one.
func (n *Node) DropFunction(ctx context.Context, name string) (bool, error) {
	old, ok := n.Function(name)
	there, err := n.entries.Delete(ctx, KindFunction, functionKey(name))
	if err == nil && ok && old.Module != "" {
		err = n.dropUnused(ctx, old.Module)
	}
	return there, err
}

// Functions lists the functions, sorted by name.
func (n *Node) Functions() []*Function {
	var out []*Function
	for _, s := range n.entries.List() {
		if s.Kind != KindFunction {
			continue
		}
		if f, err := decodeFunction(s); err == nil {
			out = append(out, f)
		}
	}
	return out
}

// Functions are a session's temporary functions.
type Functions struct {
	mu     sync.RWMutex
	byName map[string]*Function
}

// Put keeps a function.
func (s *Functions) Put(f *Function, replace bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(f.Name)
	if s.byName[key] != nil && !replace {
		return FunctionExists(f.Name)
	}
	if s.byName == nil {
		s.byName = map[string]*Function{}
	}
	s.byName[key] = f
	return nil
}

// Get finds a function; Drop forgets one and reports whether there was one; List has them in order of name.
func (s *Functions) Get(name string) (*Function, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	f := s.byName[strings.ToLower(name)]
	return f, f != nil
}

func (s *Functions) Drop(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := strings.ToLower(name)
	f := s.byName[key]
	delete(s.byName, key)
	return f != nil
}

func (s *Functions) List() []*Function {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]*Function, 0, len(s.byName))
	for _, f := range s.byName {
		out = append(out, f)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}
