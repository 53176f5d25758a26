package driver

import (
	"context"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/expr/wasm"
	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
)

// artifacts finds a file that a session's client has uploaded; may be nil.
type artifacts func(name string) ([]byte, bool)

// modules are the functions from WebAssembly modules that are loaded in this process, by name in lower case, as the catalog
// had them then.
type modules struct {
	mu     sync.Mutex
	loaded map[string]catalog.Function
}

// createModuleFunction is CREATE FUNCTION … USING WASM 'file': the module is checked, kept in the catalog and loaded.
func (s *Session) createModuleFunction(ctx context.Context, p *logical.CreateFunction, name string, artifact artifacts) error {
	f, code, err := moduleFunction(p, name, artifact)
	if err != nil {
		return err
	}
	if _, taken := s.engine.opts.Catalog.Function(name); taken && !p.OrReplace {
		return catalog.FunctionExists(name)
	}
	if err := s.engine.opts.Catalog.PutModule(ctx, f.Module, code); err != nil {
		return err
	}
	if err := s.engine.opts.Catalog.CreateFunction(ctx, f, p.OrReplace); err != nil {
		return err
	}
	return s.engine.loadModule(f)
}

// moduleFunction reads the module that a statement names and checks that it exports the function.
func moduleFunction(p *logical.CreateFunction, name string, artifact artifacts) (*catalog.Function, []byte, error) {
	switch {
	case p.Temporary:
		return nil, nil, usererr.New("UNSUPPORTED_FEATURE.TEMPORARY_MODULE_FUNCTION", "0A000", "A function of a WebAssembly module cannot be temporary.").WithFix("Leave out TEMPORARY, and DROP FUNCTION when it is no longer needed.")
	case p.UsingFile == "":
		return nil, nil, usererr.New("INVALID_WASM_FUNCTION", "38000", "The statement names no module.").WithFix("Write USING WASM 'file'.")
	case p.Returns.Kind == column.Null:
		return nil, nil, usererr.New("INVALID_WASM_FUNCTION", "38000", "The statement does not say what the function returns.").WithFix("Write RETURNS type before USING.")
	}
	f := &catalog.Function{Name: name, Language: catalog.LanguageWASM, Returns: p.Returns, Comment: p.Comment, Export: p.Name[len(p.Name)-1]}
	for _, q := range p.Params {
		f.Params = append(f.Params, catalog.Param{Name: q.Name, Type: q.Type, Default: q.Default})
	}
	if err := moduleOptions(f, p.Options); err != nil {
		return nil, nil, err
	}
	code, err := moduleCode(p.UsingFile, artifact)
	if err != nil {
		return nil, nil, err
	}
	f.Module = wasm.ID(code)
	m, err := wasm.Compile(code, wasm.Limits{Memory: f.Memory, Time: f.Timeout})
	if err != nil {
		return nil, nil, err
	}
	defer m.Close()
	return f, code, m.Check(signature(f))
}

// moduleOptions reads OPTIONS (export 'name', memory '64MiB', timeout '10s').
func moduleOptions(f *catalog.Function, options map[string]string) error {
	for key, value := range options {
		var err error
		switch key {
		case "export":
			f.Export = value
		case "memory":
			f.Memory, err = config.ParseSize(value)
		case "timeout":
			f.Timeout, err = time.ParseDuration(value)
		default:
			return usererr.New("INVALID_WASM_OPTION", "42616", "A function of a module has no option %q.", key).WithFix("There are export, memory and timeout.")
		}
		if err != nil || f.Memory < 0 || f.Timeout < 0 {
			return usererr.New("INVALID_WASM_OPTION", "42616", "The option %s cannot be %q.", key, value).WithFix("Write memory '64MiB' and timeout '10s'.")
		}
	}
	return nil
}

// moduleCode is a file of the client's if it has uploaded one of that name, else one of the node's.
func moduleCode(name string, artifact artifacts) ([]byte, error) {
	if artifact != nil {
		if code, ok := artifact(name); ok {
			return code, nil
		}
	}
	st, err := os.Stat(name)
	if err == nil && st.Size() > wasm.MaxModule {
		return nil, usererr.New("INVALID_WASM_MODULE", "38000", "The module has %d bytes, at most %d are taken.", st.Size(), wasm.MaxModule).WithFix("Strip it, or compile it for size.")
	}
	var code []byte
	if err == nil {
		code, err = os.ReadFile(name)
	}
	if err != nil {
		return nil, usererr.New("FILE_NOT_READABLE", "58030", "%v.", err).In(name).
			WithFix("The file is read on the node's machine, unless the client uploads it: sfsubmit sql --wasm file, or addArtifact(path, file=True) in PySpark.")
	}
	return code, nil
}

func signature(f *catalog.Function) wasm.Signature {
	s := wasm.Signature{Name: f.Export, Returns: f.Returns}
	for _, p := range f.Params {
		s.Args = append(s.Args, column.Field{Name: p.Name, Type: p.Type})
	}
	return s
}

// loadModule makes a function of a module known to this process, unless it is.
func (e *Engine) loadModule(f *catalog.Function) error {
	e.modules.mu.Lock()
	defer e.modules.mu.Unlock()
	key := strings.ToLower(f.Name)
	old, ok := e.modules.loaded[key]
	if ok && sameFunction(&old, f) {
		return nil
	}
	code, there := e.opts.Catalog.Module(f.Module)
	if !there {
		return usererr.New("WASM_MODULE_NOT_FOUND", "38000", "The module of the function %s is not in the catalog.", f.Name).WithFix("Create the function anew.")
	}
	m, err := wasm.Compile(code, wasm.Limits{Memory: f.Memory, Time: f.Timeout})
	if err != nil {
		return err
	}
	u, err := m.Function(signature(f))
	if err != nil {
		return err
	}
	u.Name, u.Usage, u.Doc = f.Name, f.Usage(), f.Comment
	if err := expr.RegisterFunction(u); err != nil {
		return err
	}
	if e.modules.loaded == nil {
		e.modules.loaded = map[string]catalog.Function{}
	}
	e.modules.loaded[key] = *f // queries that are running go on with the module of before
	return nil
}

func sameFunction(a, b *catalog.Function) bool {
	return a.Module == b.Module && a.Export == b.Export && a.Memory == b.Memory && a.Timeout == b.Timeout && a.Returns.Equal(b.Returns) &&
		slices.EqualFunc(a.Params, b.Params, func(x, y catalog.Param) bool { return x.Name == y.Name && x.Type.Equal(y.Type) })
}

// loadModules loads all functions of modules when a node starts: queries that go on may call them.
func (e *Engine) loadModules() {
	for _, f := range e.opts.Catalog.Functions() {
		if f.Language != catalog.LanguageWASM {
			continue
		}
		if err := e.loadModule(f); err != nil {
			e.log.Error("function cannot be loaded", "function", f.Name, "err", err)
		}
	}
}

func (m *modules) unload(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.loaded, strings.ToLower(name))
	expr.Unregister(name)
}
