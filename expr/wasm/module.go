package wasm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"sort"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// MaxModule is the largest module taken, in bytes.
const MaxModule = 16 << 20

// Limits bound what a function may use; a zero value is the default.
type Limits struct {
	Memory int64         // bytes of linear memory of one instance; default 64 MiB
	Time   time.Duration // of one batch; default 10 s
}

const (
	defaultMemory = 64 << 20
	defaultTime   = 10 * time.Second
	pageBytes     = 64 << 10
)

func (l Limits) withDefaults() Limits {
	if l.Memory <= 0 {
		l.Memory = defaultMemory
	}
	if l.Time <= 0 {
		l.Time = defaultTime
	}
	return l
}

// ID names a module by its content.
func ID(code []byte) string {
	sum := sha256.Sum256(code)
	return hex.EncodeToString(sum[:])
}

// Module is compiled code. It is safe for concurrent use; instances are not.
type Module struct {
	runtime  wazero.Runtime
	compiled wazero.CompiledModule
	limits   Limits
}

// compilations keeps compiled machine code by content, so that the same module with other limits is not compiled again.
var compilations = sync.OnceValue(wazero.NewCompilationCache)

// Compile reads and compiles a module. Errors are user errors: INVALID_WASM_MODULE.
func Compile(code []byte, limits Limits) (*Module, error) {
	if len(code) > MaxModule {
		return nil, usererr.New("INVALID_WASM_MODULE", "38000", "The module has %d bytes, at most %d are taken.", len(code), MaxModule).
			WithFix("Strip it, or compile it for size.")
	}
	limits = limits.withDefaults()
	ctx := context.Background()
	conf := wazero.NewRuntimeConfig().WithCompilationCache(compilations()).WithCloseOnContextDone(true).
		WithMemoryLimitPages(uint32(min(max(limits.Memory/pageBytes, 1), 65536)))
	r := wazero.NewRuntimeWithConfig(ctx, conf)
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		return nil, badModule(err)
	}
	compiled, err := r.CompileModule(ctx, code)
	if err != nil {
		_ = r.Close(ctx)
		return nil, badModule(err)
	}
	return &Module{runtime: r, compiled: compiled, limits: limits}, nil
}

func badModule(err error) error {
	return usererr.New("INVALID_WASM_MODULE", "38000", "This is no WebAssembly module that can be run: %v.", err).
		WithFix("Compile it for wasm32 with WASI preview 1 or without a system, as a library (Go: GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared).")
}

// Close frees the module's code. Functions made of it fail afterwards.
func (m *Module) Close() error { return m.runtime.Close(context.Background()) }

// Check says whether the module has a function of this signature.
func (m *Module) Check(s Signature) error {
	exports := m.compiled.ExportedFunctions()
	return s.check(exports[s.Name], exports[s.Name+batchSuffix], exports["sf_alloc"] != nil)
}

const batchSuffix = "_batch"

// Signatures are the functions that the module's exports tell of by themselves: those that take and give only numbers. i32 is
// INT, i64 BIGINT, f32 FLOAT, f64 DOUBLE. Names that begin with "_" or "sf_", and those of the languages' own start and
// allocation functions, are left out.
func (m *Module) Signatures() []Signature {
	var out []Signature
	for name, f := range m.compiled.ExportedFunctions() {
		if ownName(name) || len(f.ResultTypes()) != 1 {
			continue
		}
		s := Signature{Name: name}
		t, ok := sqlType(f.ResultTypes()[0])
		for i, p := range f.ParamTypes() {
			a, known := sqlType(p)
			ok = ok && known
			s.Args = append(s.Args, column.Field{Name: argName(f, i), Type: a})
		}
		if s.Returns = t; ok {
			out = append(out, s)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out
}

func ownName(name string) bool {
	switch name {
	case "malloc", "free", "realloc", "calloc", "main":
		return true
	}
	return strings.HasPrefix(name, "_") || strings.HasPrefix(name, "sf_") || strings.HasSuffix(name, batchSuffix)
}

func sqlType(t api.ValueType) (column.Type, bool) {
	switch t {
	case api.ValueTypeI32:
		return column.Of(column.Int32), true
	case api.ValueTypeI64:
		return column.Of(column.Int64), true
	case api.ValueTypeF32:
		return column.Of(column.Float32), true
	case api.ValueTypeF64:
		return column.Of(column.Float64), true
	}
	return column.Type{}, false
}

func argName(f api.FunctionDefinition, i int) string {
	if n := f.ParamNames(); i < len(n) && n[i] != "" {
		return n[i]
	}
	return string(rune('a' + i%26))
}
