package wasm

import (
	"encoding/binary"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// byRows has the loop call the guest for each row. A row in which it traps has failed; a new instance takes the rows after it.
func (f *function) byRows(args []*column.Vector, n int, deadline time.Time, errs *expr.RowErrors) (*column.Vector, error) {
	for from := 0; from < n; {
		if err := f.ready(); err != nil {
			return nil, err
		}
		end, trap, err := f.rowsFrom(from, args, n, deadline, errs)
		if err != nil {
			return nil, err
		}
		if from = end; trap != nil {
			f.failRow(end, trap, errs)
			from++
		}
	}
	return f.out.Finish(), nil
}

// rowsFrom runs rows [from, n) up to the first in which the guest traps, and appends their results.
func (f *function) rowsFrom(from int, args []*column.Vector, n int, deadline time.Time, errs *expr.RowErrors) (end int, trap, err error) {
	stop := f.inst.watch(deadline)
	defer stop()
	result, err := f.putRows(args, n)
	if err != nil {
		return 0, nil, err
	}
	_, trap = f.inst.call(f.inst.run, uint64(from), uint64(n))
	if interrupted(trap) {
		return 0, nil, trap
	}
	end = n
	if trap != nil {
		row, _ := f.inst.loop.Memory().ReadUint32Le(loopRow)
		end = int(row)
	}
	return end, trap, f.takeRows(result, from, end, errs)
}

func (f *function) failRow(i int, err error, errs *expr.RowErrors) {
	f.out.AppendNull()
	errs.Rows, errs.Errs = append(errs.Rows, int32(i)), append(errs.Errs, err)
}

// putRows copies the columns into the loop's memory, and their strings into the guest's. It returns where the results will be.
func (f *function) putRows(args []*column.Vector, n int) (result uint32, err error) {
	params := f.s.params()
	head := loopBase + 4*(len(params)+1)
	f.cols = append(f.cols[:0], make([]byte, (head+7)&^7)...)
	k := 0
	begin := func() {
		for len(f.cols)%8 != 0 {
			f.cols = append(f.cols, 0)
		}
		binary.LittleEndian.PutUint32(f.cols[loopBase+4*k:], uint32(len(f.cols)))
		k++
	}
	for _, v := range args {
		begin()
		if v.Type.Kind.Storage() != column.StorageBytes {
			f.cols = appendColumn(f.cols, v, n)
			continue
		}
		ptr, err := f.putText(v, n)
		if err != nil {
			return 0, err
		}
		for i := range n {
			f.cols = binary.LittleEndian.AppendUint32(f.cols, ptr)
			ptr += uint32(len(v.Bytes(i)))
		}
		begin()
		for i := range n {
			f.cols = binary.LittleEndian.AppendUint32(f.cols, uint32(len(v.Bytes(i))))
		}
	}
	begin()
	return uint32(len(f.cols)), f.fillLoop(len(f.cols) + 8*n)
}

// putText copies all strings of a column into the guest as one piece.
func (f *function) putText(v *column.Vector, n int) (uint32, error) {
	f.text = f.text[:0]
	for i := range n {
		f.text = append(f.text, v.Bytes(i)...)
	}
	return f.inst.put(f.text)
}

// fillLoop makes the loop's memory large enough and copies the columns there.
func (f *function) fillLoop(size int) error {
	mem := f.inst.loop.Memory()
	if more := size - int(mem.Size()); more > 0 {
		if _, ok := mem.Grow(uint32((more + pageBytes - 1) / pageBytes)); !ok {
			return f.inst.noRoom(size)
		}
	}
	mem.Write(0, f.cols)
	return nil
}

// appendColumn lays the rows of a fixed-width column side by side.
func appendColumn(to []byte, v *column.Vector, n int) []byte {
	switch v.Type.Kind.Storage() {
	case column.StorageI64:
		for _, x := range v.I64[:n] {
			to = binary.LittleEndian.AppendUint64(to, uint64(x))
		}
		return to
	}
	w := width(v.Type)
	for i := range n {
		to = appendSlot(to, slot(v, i), w)
	}
	return to
}

// takeRows appends the results of rows [from, end).
func (f *function) takeRows(at uint32, from, end int, errs *expr.RowErrors) error {
	wide := shift(resultTypes(f.s.Returns)[0]) == 3
	mem, ok := f.inst.loop.Memory().Read(at, uint32(8*end))
	if !ok {
		return errOutside
	}
	for i := from; i < end; i++ {
		var x uint64
		if wide {
			x = binary.LittleEndian.Uint64(mem[8*i:])
		} else {
			x = uint64(binary.LittleEndian.Uint32(mem[4*i:]))
		}
		if err := f.result(x); err != nil {
			f.failRow(i, err, errs)
		}
	}
	return nil
}
