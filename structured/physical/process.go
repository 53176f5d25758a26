package physical

import (
	"fmt"
	"io"
	"math"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/process"
)

// Process gives rows that are sorted by Keys, and then by the order that they are to come in, to a registered function. After
// the last row of a key all its timers go off, and what was kept of it is forgotten. StatefulProcess is the same over a
// stream.
type Process struct {
	Name string
	Keys []int
	Args []int // the columns that the function reads
	Time int   // event time, -1 when rows are taken as they come
	Out  *column.Schema

	Initial   *InitialRows   // nil for none
	Broadcast *BroadcastRows // the second input; nil for none

	run process.Runner
}

func (f *Process) open() error {
	if f.run != nil {
		return nil
	}
	d, ok := process.Lookup(f.Name)
	if !ok {
		return usererr.New("UNRESOLVED_PROCESS_FUNCTION", "42883", "This process has no function %s of a table.", f.Name).
			WithFix("Register it with process.Register before the node starts.")
	}
	f.run = d.New()
	return nil
}

func (f *Process) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if err := f.open(); err != nil {
		return nil, err
	}
	r := &sortedProcess{processRun: newProcessRun(f, tc), in: in[0], by: ascending(f.Keys)}
	if f.Broadcast != nil {
		r.side = in[1]
	}
	return output(tc, in, r.next, nil), nil
}

// sortedProcess is a run over sorted rows.
type sortedProcess struct {
	*processRun
	in    rdd.Reader
	by    []column.SortKey
	last  *column.Batch // the row before, nil at first
	ended bool

	side    rdd.Reader   // broadcast rows, nil for none or when they were read
	initial *initialKeys // of keys that have had no row, nil for none
	begun   bool
}

// prepare reads the other inputs.
func (r *sortedProcess) prepare() (err error) {
	if r.begun {
		return nil
	}
	r.begun = true
	if r.f.Broadcast != nil {
		if err := r.f.run.Shared().Read(nil); err != nil {
			return err
		}
		if r.shared, err = newShared(r.processRun, r.side, nil, math.MaxInt64); err != nil {
			return err
		}
	}
	if r.f.Initial != nil {
		r.initial, err = r.f.Initial.read(r.tc)
	}
	return err
}

// start takes up a key that has its first row.
func (r *sortedProcess) start(i int) error {
	if err := r.begin(r.keys, i, nil); err != nil || r.initial == nil {
		return err
	}
	key := string(column.AppendKey(nil, r.keys, i))
	n, ok := r.initial.at[key]
	if !ok {
		return nil
	}
	delete(r.initial.at, key)
	return r.fill(r.initial, n)
}

// rest are the keys of the initial table that had no row.
func (r *sortedProcess) rest() error {
	if r.initial == nil {
		return nil
	}
	for n, i := range r.initial.from {
		if _, ok := r.initial.at[string(column.AppendKey(nil, r.initial.keys, i))]; !ok {
			continue
		}
		if err := r.begin(r.initial.keys, i, nil); err != nil {
			return err
		}
		if err := r.fill(r.initial, n); err != nil {
			return err
		}
		if err := r.end(); err != nil {
			return err
		}
	}
	return nil
}

func (r *sortedProcess) next() (*column.Batch, error) {
	if err := r.prepare(); err != nil {
		return nil, err
	}
	for !r.ended {
		b, err := r.in.Next()
		if err == io.EOF {
			r.ended = true
			if r.last != nil {
				err = r.end()
			} else {
				err = nil
			}
			if err == nil {
				err = r.rest()
			}
			if err == nil {
				err = r.sides.flush()
			}
		} else if err == nil && b.N > 0 {
			err = r.batch(b)
		}
		if err != nil {
			return nil, err
		}
		if r.out.Len() > 0 && (r.ended || r.out.Len() >= column.BatchRows) {
			out := r.out.Finish()
			r.out.Reset()
			return out, nil
		}
	}
	return nil, io.EOF
}

func (r *sortedProcess) batch(b *column.Batch) error {
	r.take(b)
	for i := range b.N {
		if !r.goesOn(b, i) {
			if r.last != nil || i > 0 {
				if err := r.end(); err != nil {
					return err
				}
			}
			if err := r.start(i); err != nil {
				return err
			}
		}
		if err := r.row(i); err != nil {
			return err
		}
	}
	r.last = b.Slice(b.N-1, b.N).Clone()
	return r.sides.flush()
}

// goesOn reports whether row i has the key of the row before it.
func (r *sortedProcess) goesOn(b *column.Batch, i int) bool {
	if i > 0 {
		return column.CompareRows(b, i-1, b, i, r.by) == 0
	}
	return r.last != nil && column.CompareRows(r.last, 0, b, 0, r.by) == 0
}

// processRun is a run of a Process or a micro-batch of a StatefulProcess.
type processRun struct {
	f     *Process
	tc    *rdd.TaskContext
	out   *column.BatchBuilder
	sides *namedSides
	keys  []*column.Vector
	args  []*column.Vector
	times []int64
	wall  int64

	shared *shared // the broadcast side, nil for none
}

func newProcessRun(f *Process, tc *rdd.TaskContext) *processRun {
	r := &processRun{f: f, tc: tc, out: column.NewBatchBuilder(f.Out), sides: &namedSides{tc: tc, op: tc.Op, of: f.Name}}
	if tc.Binding != nil {
		r.wall = tc.Binding.Now
	}
	return r
}

// take takes up a batch.
func (r *processRun) take(b *column.Batch) {
	r.keys, r.args, r.times = r.keys[:0], r.args[:0], nil
	for _, c := range r.f.Keys {
		r.keys = append(r.keys, b.Cols[c])
	}
	for _, c := range r.f.Args {
		r.args = append(r.args, b.Cols[c])
	}
	if r.f.Time >= 0 {
		r.times = column.Expand(b.Cols[r.f.Time], b.N).I64
	}
}

func (r *processRun) begin(keys []*column.Vector, i int, stored []byte) error {
	r.shared.begin()
	return r.failed(r.f.run.Begin(keys, i, stored, r.wall, r.sides.add))
}

func (r *processRun) row(i int) error {
	at, timed := r.wall, r.times != nil
	if timed {
		at = r.times[i]
	}
	return r.failed(r.f.run.Row(r.args, i, at, timed, r.out.Cols))
}

// end lets the timers of a key go off that has no more rows.
func (r *processRun) end() error {
	err := r.timers(process.EventTime, math.MaxInt64)
	if err == nil {
		err = r.timers(process.ProcessingTime, math.MaxInt64)
	}
	return err
}

func (r *processRun) timers(kind process.TimerKind, upTo int64) error {
	return r.failed(r.f.run.Timers(kind, upTo, r.out.Cols))
}

func (r *processRun) failed(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := usererr.As(err); ok {
		return err
	}
	return usererr.New("PROCESS_FUNCTION_FAILED", "38000", "The function %s failed: %v.", r.f.Name, err).
		WithFix("Correct the function, or let it send rows that it cannot handle to a side output.")
}

// flush puts out results when there are as many.
func (r *processRun) flush(emit func(*column.Batch), least int) {
	if r.out.Len() >= least {
		emit(r.out.Finish())
		r.out.Reset()
	}
}

// namedSides are the side outputs that a function names itself.
type namedSides struct {
	tc   *rdd.TaskContext
	op   string
	of   string // the function
	rows map[string]*column.BatchBuilder
	list []string
}

func (s *namedSides) add(name string, value []byte) error {
	b := s.rows[name]
	if b == nil {
		if !sideName(name) {
			return fmt.Errorf("a side output cannot be called %q: letters, digits, - and _ make a name, and state is taken", name)
		}
		if s.rows == nil {
			s.rows = map[string]*column.BatchBuilder{}
		}
		b = column.NewBatchBuilder(connector.SideSchema)
		s.rows[name], s.list = b, append(s.list, name)
	}
	for _, c := range b.Cols[:4] {
		c.AppendNull()
	}
	b.Cols[4].AppendString(s.of)
	b.Cols[5].AppendBytes(value)
	return nil
}

func sideName(name string) bool {
	for _, r := range name {
		if !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_') {
			return false
		}
	}
	return name != "" && len(name) <= 64
}

func (s *namedSides) flush() error {
	for _, name := range s.list {
		b := s.rows[name]
		if b.Len() == 0 {
			continue
		}
		count(s.tc, s.op, "rows."+name, int64(b.Len()))
		if s.tc.Emit != nil {
			if err := s.tc.Emit(name, b.Finish()); err != nil {
				return err
			}
		}
		b.Reset()
	}
	return nil
}
