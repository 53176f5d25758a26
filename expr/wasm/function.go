package wasm

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// Function is a function of the module, ready to be registered under its signature's name.
func (m *Module) Function(s Signature) (expr.UserFunction, error) {
	if err := m.Check(s); err != nil {
		return expr.UserFunction{}, err
	}
	return expr.UserFunction{User: expr.User{Name: s.Name, Args: s.Args}, Returns: s.Returns, Make: func() (expr.BatchFunc, error) {
		f := &function{m: m, s: s, out: column.NewBuilder(s.Returns)}
		return f.run, nil
	}}, nil
}

// function is one place where a function stands: an instance of the module, made when the first batch comes.
type function struct {
	m    *Module
	s    Signature
	inst *instance
	out  *column.Builder
	text []byte // bytes on their way into the guest
	cols []byte // columns on their way into the loop
}

func (f *function) run(args []*column.Vector, n int, errs *expr.RowErrors) (*column.Vector, error) {
	f.out.Reset()
	if err := f.ready(); err != nil {
		return nil, err
	}
	deadline := time.Now().Add(f.m.limits.Time)
	if f.inst.batch != nil {
		defer f.inst.watch(deadline)()
		return f.byBatch(args, n)
	}
	return f.byRows(args, n, deadline, errs)
}

// ready gives f an instance whose memory is free.
func (f *function) ready() error {
	if f.inst != nil && !f.inst.usable() {
		f.inst.close()
		f.inst = nil
	}
	if f.inst == nil {
		inst, err := f.m.instantiate(f.s)
		if err != nil {
			return err
		}
		f.inst = inst
	}
	return f.inst.begin()
}

// slot is a fixed-width value as WebAssembly's stack holds it.
func slot(v *column.Vector, i int) uint64 {
	switch v.Type.Kind.Storage() {
	case column.StorageBool:
		if v.Bools[i] {
			return 1
		}
		return 0
	case column.StorageI8:
		return api.EncodeI32(int32(v.I8[i]))
	case column.StorageI16:
		return api.EncodeI32(int32(v.I16[i]))
	case column.StorageI32:
		return api.EncodeI32(v.I32[i])
	case column.StorageF32:
		return api.EncodeF32(v.F32[i])
	case column.StorageF64:
		return api.EncodeF64(v.F64[i])
	}
	return uint64(v.I64[i])
}

// result appends what the guest gave back for a row.
func (f *function) result(x uint64) error {
	switch f.s.Returns.Kind.Storage() {
	case column.StorageBool:
		f.out.AppendBool(uint32(x) != 0)
	case column.StorageI8, column.StorageI16, column.StorageI32:
		return f.integer(api.DecodeI32(x))
	case column.StorageF32:
		f.out.AppendF64(float64(api.DecodeF32(x)))
	case column.StorageF64:
		f.out.AppendF64(api.DecodeF64(x))
	case column.StorageBytes:
		if x == math.MaxUint64 {
			f.out.AppendNull()
			return nil
		}
		b, err := f.inst.view(uint32(x>>32), uint32(x))
		if err != nil {
			return err
		}
		f.out.AppendBytes(b)
	default:
		f.out.AppendI64(int64(x))
	}
	return nil
}

// integer appends a result of up to 32 bits, which must fit its type.
func (f *function) integer(x int32) error {
	lo, hi := int32(math.MinInt32), int32(math.MaxInt32)
	switch f.s.Returns.Kind {
	case column.Int8:
		lo, hi = math.MinInt8, math.MaxInt8
	case column.Int16:
		lo, hi = math.MinInt16, math.MaxInt16
	}
	if x < lo || x > hi {
		return fmt.Errorf("it returned %d, which is no %s", x, f.s.Returns)
	}
	f.out.AppendI64(int64(x))
	return nil
}

// byBatch calls the guest once for all rows.
func (f *function) byBatch(args []*column.Vector, n int) (*column.Vector, error) {
	desc := make([]byte, 8*len(args))
	for a, v := range args {
		data, offs, err := f.putColumn(v, n)
		if err != nil {
			return nil, err
		}
		binary.LittleEndian.PutUint32(desc[8*a:], data)
		binary.LittleEndian.PutUint32(desc[8*a+4:], offs)
	}
	in, err := f.inst.put(desc)
	if err != nil {
		return nil, err
	}
	out, err := f.outColumn(n)
	if err != nil {
		return nil, err
	}
	status, err := f.inst.call(f.inst.batch, uint64(n), uint64(in), uint64(out))
	if err != nil {
		return nil, err
	}
	if status[0] != 0 {
		return nil, fmt.Errorf("it returned status %d", int32(status[0]))
	}
	return f.takeColumn(out, n)
}

// putColumn copies a column into the guest.
func (f *function) putColumn(v *column.Vector, n int) (data, offs uint32, err error) {
	f.text = f.text[:0]
	if v.Type.Kind.Storage() != column.StorageBytes {
		for i := range n {
			f.text = appendSlot(f.text, slot(v, i), width(v.Type))
		}
		data, err = f.inst.put(f.text)
		return data, 0, err
	}
	table := make([]byte, 0, 4*(n+1))
	for i := range n {
		table = binary.LittleEndian.AppendUint32(table, uint32(len(f.text)))
		f.text = append(f.text, v.Bytes(i)...)
	}
	table = binary.LittleEndian.AppendUint32(table, uint32(len(f.text)))
	if data, err = f.inst.put(f.text); err != nil {
		return 0, 0, err
	}
	offs, err = f.inst.put(table)
	return data, offs, err
}

func appendSlot(to []byte, x uint64, width int) []byte {
	if width == 8 {
		return binary.LittleEndian.AppendUint64(to, x)
	}
	return binary.LittleEndian.AppendUint32(to, uint32(x))
}

// outColumn makes the descriptor of the result.
func (f *function) outColumn(n int) (uint32, error) {
	var data uint32
	var err error
	if f.s.Returns.Kind.Storage() != column.StorageBytes {
		if data, err = f.inst.room(n * width(f.s.Returns)); err != nil {
			return 0, err
		}
	}
	nulls, err := f.inst.put(make([]byte, n))
	if err != nil {
		return 0, err
	}
	desc := binary.LittleEndian.AppendUint32(nil, data)
	desc = binary.LittleEndian.AppendUint32(desc, 0)
	desc = binary.LittleEndian.AppendUint32(desc, nulls)
	return f.inst.put(desc)
}

// takeColumn reads the result out of the guest.
func (f *function) takeColumn(out uint32, n int) (*column.Vector, error) {
	desc, err := f.inst.view(out, 12)
	if err != nil {
		return nil, err
	}
	data, offs, nulls := binary.LittleEndian.Uint32(desc), binary.LittleEndian.Uint32(desc[4:]), binary.LittleEndian.Uint32(desc[8:])
	null, err := f.inst.view(nulls, uint32(n))
	if err != nil {
		return nil, err
	}
	if f.s.Returns.Kind.Storage() == column.StorageBytes {
		err = f.takeStrings(data, offs, null, n)
	} else {
		err = f.takeFixed(data, null, n)
	}
	if err != nil {
		return nil, err
	}
	return f.out.Finish(), nil
}

func (f *function) takeFixed(data uint32, null []byte, n int) error {
	w := width(f.s.Returns)
	b, err := f.inst.view(data, uint32(n*w))
	if err != nil {
		return err
	}
	for i := range n {
		if null[i] != 0 {
			f.out.AppendNull()
			continue
		}
		var x uint64
		if w == 8 {
			x = binary.LittleEndian.Uint64(b[8*i:])
		} else {
			x = uint64(binary.LittleEndian.Uint32(b[4*i:]))
		}
		if err := f.result(x); err != nil {
			return err
		}
	}
	return nil
}

func (f *function) takeStrings(data, offs uint32, null []byte, n int) error {
	table, err := f.inst.view(offs, uint32(4*(n+1)))
	if err != nil {
		return err
	}
	for i := range n {
		from, to := binary.LittleEndian.Uint32(table[4*i:]), binary.LittleEndian.Uint32(table[4*i+4:])
		if null[i] != 0 {
			f.out.AppendNull()
			continue
		}
		if to < from || uint64(data)+uint64(to) > math.MaxUint32 {
			return errOutside
		}
		b, err := f.inst.view(data+from, to-from)
		if err != nil {
			return err
		}
		f.out.AppendBytes(b)
	}
	return nil
}
