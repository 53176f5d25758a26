package wasm

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/streamflow/streamflow/internal/usererr"
)

// instance is a module with memory of its own, and the loop that calls it; one batch at a time uses it.
type instance struct {
	m      *Module
	guest  api.Module
	alloc  api.Function
	reset  api.Function
	batch  api.Function
	loop   api.Module // nil when the guest works by batches
	run    api.Function
	broken bool // a call was interrupted or trapped: what is in its memory is not known
}

// instances numbers them: a loop finds its guest by name.
var instances atomic.Int64

// instantiate starts an instance of the module for a function.
func (m *Module) instantiate(s Signature) (*instance, error) {
	ctx := context.Background()
	name := "guest" + strconv.FormatInt(instances.Add(1), 10)
	guest, err := m.runtime.InstantiateModule(ctx, m.compiled, wazero.NewModuleConfig().WithName(name).WithStartFunctions("_initialize"))
	if err != nil {
		return nil, fmt.Errorf("wasm: start an instance: %w", err)
	}
	i := &instance{m: m, guest: guest, alloc: guest.ExportedFunction("sf_alloc"), reset: guest.ExportedFunction("sf_reset"),
		batch: guest.ExportedFunction(s.Name + batchSuffix)}
	if i.batch == nil {
		if err := i.startLoop(ctx, name, s); err != nil {
			_ = guest.Close(ctx)
			return nil, err
		}
	}
	runtime.AddCleanup(i, func(o owned) { o.close() }, owned{guest, i.loop})
	return i, nil
}

// startLoop makes the module that calls the guest's function row by row.
func (i *instance) startLoop(ctx context.Context, guest string, s Signature) error {
	code := loopModule(guest, s.Name, s.params(), resultTypes(s.Returns)[0])
	loop, err := i.m.runtime.InstantiateWithConfig(ctx, code, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return fmt.Errorf("wasm: start the loop over %s: %w", s.Name, err)
	}
	i.loop, i.run = loop, loop.ExportedFunction("run")
	return nil
}

// owned is what an instance gives back when it goes.
type owned struct{ guest, loop api.Module }

func (o owned) close() {
	if o.loop != nil {
		_ = o.loop.Close(context.Background())
	}
	_ = o.guest.Close(context.Background())
}

func (i *instance) close() { owned{i.guest, i.loop}.close() }

// watch interrupts the guest at the deadline; stop ends the watch. The runtime asks whether the module that the host called is
// closed, which is the loop where there is one.
func (i *instance) watch(deadline time.Time) (stop func() bool) {
	called := i.guest
	if i.loop != nil {
		called = i.loop
	}
	return time.AfterFunc(time.Until(deadline), func() { _ = called.CloseWithExitCode(context.Background(), sys.ExitCodeDeadlineExceeded) }).Stop
}

// usable tells whether another batch may run in i.
func (i *instance) usable() bool {
	return !i.broken && !i.guest.IsClosed() && (i.loop == nil || !i.loop.IsClosed())
}

// begin makes the memory of the last batch free.
func (i *instance) begin() error {
	if i.reset == nil {
		return nil
	}
	_, err := i.call(i.reset)
	return err
}

// room allocates memory in the guest.
func (i *instance) room(size int) (uint32, error) {
	if size == 0 {
		return 0, nil
	}
	out, err := i.call(i.alloc, uint64(size))
	if err != nil {
		return 0, err
	}
	ptr := uint32(out[0])
	if ptr == 0 || uint64(ptr)+uint64(size) > uint64(i.guest.Memory().Size()) {
		return 0, i.noRoom(size)
	}
	return ptr, nil
}

func (i *instance) noRoom(size int) error {
	return usererr.New("UDF_LIMIT_EXCEEDED", "54000", "The module has no memory for %d bytes; it may use %d.", size, i.m.limits.Memory).
		WithFix("Give the function more: OPTIONS (memory '256MiB').")
}

// put copies bytes into new memory of the guest.
func (i *instance) put(data []byte) (uint32, error) {
	ptr, err := i.room(len(data))
	if err == nil && len(data) > 0 && !i.guest.Memory().Write(ptr, data) {
		err = errOutside
	}
	return ptr, err
}

var errOutside = errors.New("it pointed outside of its memory")

// view is the guest's memory from ptr, valid until the guest runs again.
func (i *instance) view(ptr, size uint32) ([]byte, error) {
	if size == 0 {
		return nil, nil
	}
	b, ok := i.guest.Memory().Read(ptr, size)
	if !ok {
		return nil, errOutside
	}
	return b, nil
}

// call runs a function.
func (i *instance) call(f api.Function, args ...uint64) ([]uint64, error) {
	out, err := f.Call(context.Background(), args...)
	if err != nil {
		i.broken = true
		return nil, i.explain(err)
	}
	return out, nil
}

// explain turns what the runtime says into an error for users: a time limit, or the guest's own trap.
func (i *instance) explain(err error) error {
	var exit *sys.ExitError
	if errors.As(err, &exit) {
		if exit.ExitCode() == sys.ExitCodeDeadlineExceeded {
			return i.tooLong()
		}
		return fmt.Errorf("it exited with status %d", exit.ExitCode())
	}
	text, _, _ := strings.Cut(err.Error(), "\n") // without the guest's stack
	return errors.New(strings.TrimSuffix(strings.TrimSpace(text), " (recovered by wazero)"))
}

func (i *instance) tooLong() error {
	return usererr.New("UDF_LIMIT_EXCEEDED", "54000", "A batch took longer than %v.", i.m.limits.Time).
		WithFix("Give the function more: OPTIONS (timeout '60s').")
}

// interrupted tells that the time of the batch is over.
func interrupted(err error) bool {
	u, ok := usererr.As(err)
	return ok && u.Code == "UDF_LIMIT_EXCEEDED"
}
