package wasm

import (
	"encoding/binary"

	"github.com/tetratelabs/wazero/api"
)

// A loop is a module of our own that calls a guest's function for each row, so that the host calls once for a batch: a call from
// the host costs microseconds, one from module to module nanoseconds. Its memory holds the columns:
//
//	0  row     i32   the row that is being computed: where to go on after a trap
//	4  base[k] i32   where column k begins: the guest's parameters in order, then its result
//	…  columns       4 or 8 bytes a row
//
//	run(row, end): for ; row < end; row++ { result[row] = guest(param0[row], param1[row], …) }
const (
	loopRow  = 0
	loopBase = 4
)

// loopModule is the code of the loop for a guest function of the given type.
func loopModule(guest, name string, params []api.ValueType, result api.ValueType) []byte {
	code := loopBody(params, result)
	m := []byte("\x00asm\x01\x00\x00\x00")
	m = section(m, 1, vec(funcType(params, []api.ValueType{result}), funcType(repeat(api.ValueTypeI32, 2), nil)))
	m = section(m, 2, vec(concat(str(guest), str(name), []byte{0x00, 0x00}))) // import: function of type 0
	m = section(m, 3, vec([]byte{0x01}))                                      // function 1 has type 1
	m = section(m, 5, vec([]byte{0x00, 0x01}))                                // memory: at least one page
	m = section(m, 7, vec(concat(str("memory"), []byte{0x02, 0x00}), concat(str("run"), []byte{0x00, 0x01})))
	return section(m, 10, vec(concat(leb(uint32(len(code))), code)))
}

// Opcodes of the loop.
const (
	opBlock, opLoop, opEnd, opBr, opBrIf, opCall = 0x02, 0x03, 0x0b, 0x0c, 0x0d, 0x10
	opGet, opSet                                 = 0x20, 0x21
	opI32Load, opI32Store                        = 0x28, 0x36
	opConst, opGeU, opAdd, opShl                 = 0x41, 0x4f, 0x6a, 0x74
	opVoid                                       = 0x40
)

var loads = map[api.ValueType]byte{api.ValueTypeI32: 0x28, api.ValueTypeI64: 0x29, api.ValueTypeF32: 0x2a, api.ValueTypeF64: 0x2b}
var stores = map[api.ValueType]byte{api.ValueTypeI32: 0x36, api.ValueTypeI64: 0x37, api.ValueTypeF32: 0x38, api.ValueTypeF64: 0x39}

func loopBody(params []api.ValueType, result api.ValueType) []byte {
	b := []byte{0x00} // no locals beside row (0) and end (1)
	b = append(b, opBlock, opVoid, opLoop, opVoid)
	b = append(b, opGet, 0, opGet, 1, opGeU, opBrIf, 1)
	b = append(b, opConst, 0, opGet, 0, opI32Store, 2, loopRow)
	b = address(b, len(params), result)
	for k, p := range params {
		b = address(b, k, p)
		b = append(b, loads[p], 0, 0)
	}
	b = append(b, opCall, 0, stores[result], 0, 0)
	b = append(b, opGet, 0, opConst, 1, opAdd, opSet, 0, opBr, 0)
	return append(b, opEnd, opEnd, opEnd)
}

// address pushes where column k has the current row.
func address(b []byte, k int, t api.ValueType) []byte {
	b = append(b, opConst, 0, opI32Load, 2)
	b = append(b, leb(uint32(loopBase+4*k))...)
	return append(b, opGet, 0, opConst, shift(t), opShl, opAdd)
}

// shift is the binary logarithm of a value's width in bytes.
func shift(t api.ValueType) byte {
	if t == api.ValueTypeI64 || t == api.ValueTypeF64 {
		return 3
	}
	return 2
}

func funcType(in, out []api.ValueType) []byte {
	return concat([]byte{0x60}, leb(uint32(len(in))), in, leb(uint32(len(out))), out)
}

func section(m []byte, id byte, body []byte) []byte {
	return concat(m, []byte{id}, leb(uint32(len(body))), body)
}

func vec(items ...[]byte) []byte { return concat(leb(uint32(len(items))), concat(items...)) }

func str(s string) []byte { return concat(leb(uint32(len(s))), []byte(s)) }

func leb(n uint32) []byte { return binary.AppendUvarint(nil, uint64(n)) }

func concat(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}
