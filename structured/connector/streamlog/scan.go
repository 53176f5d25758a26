package streamlog

import (
	"fmt"
	"io"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/record"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// readBytes is how much of a partition is read at a time.
const readBytes = 4 << 20

// TopicScan reads ranges of a topic's partitions. Columns are positions in Schema, ascending.
type TopicScan struct {
	Topic   string
	Format  string
	Fields  *column.Schema // declared columns
	Schema  *column.Schema // declared, then hidden
	Columns []int
	// Filters are conditions over Columns that every row must satisfy in the end: what they exclude by its bounds is not
	// read. Others see to the rest.
	Filters []expr.Expr

	decoder decoder // kept by a resident task
}

// Open starts the scan over the splits that are bound to this partition.
func (s *TopicScan) Open(tc *rdd.TaskContext, _ []rdd.Reader) (rdd.Reader, error) {
	env, ok := tc.Services[ServiceName].(*Env)
	if !ok {
		return nil, fmt.Errorf("streamlog: this executor has no log")
	}
	if s.decoder == nil {
		s.decoder = newDecoder(s)
	}
	var splits []rdd.Split
	if all := tc.Binding.Splits[tc.Op]; tc.Partition < len(all) {
		splits = all[tc.Partition]
	}
	return &scanReader{scan: s, tc: tc, op: tc.Op, env: env, splits: splits, arrived: newArrivals(tc)}, nil
}

// decoder turns record batches of one format into column batches.
type decoder interface {
	// begin starts a batch of the log, whose rows below from or at to and above are left out.
	begin(b record.Batch, partition int32, from, to int64) error
	// next returns rows of the batch, nil when it has no more.
	next(tc *rdd.TaskContext) (*column.Batch, error)
	// flush returns rows that next has held back to fill a batch, or nil.
	flush() *column.Batch
}

func newDecoder(s *TopicScan) decoder {
	if s.Format == Arrow {
		return newArrowDecoder(s)
	}
	return newRecordDecoder(s)
}

// scanReader walks the splits: range by range, read by read, log batch by log batch.
type scanReader struct {
	scan   *TopicScan
	tc     *rdd.TaskContext
	op     string
	env    *Env
	splits []rdd.Split

	part     *logstore.Partition
	index    int32
	start    int64 // of the split; a log batch may begin before it
	from, to int64
	read     logstore.ReadResult
	held     bool // read must be released
	rest     []byte
	aborts   abortFilter
	inBatch  bool
	arrived  arrivals
	tiered   *tierView   // of the split; nil before it was looked at
	cold     *tierReader // of the cold tier's columns; nil while batches are read
	closed   bool
}

func (r *scanReader) Next() (*column.Batch, error) {
	for {
		out, err := r.step()
		if err != nil {
			return nil, err
		}
		if out != nil && out.N > 0 {
			return out, nil
		}
	}
}

// step makes one move: it may find rows, or nothing yet. io.EOF is the end.
func (r *scanReader) step() (*column.Batch, error) {
	if r.cold != nil {
		return r.nextTierRows()
	}
	if r.inBatch {
		out, err := r.scan.decoder.next(r.tc)
		if err != nil {
			return nil, r.place(err)
		}
		r.inBatch = out != nil
		return out, nil
	}
	if len(r.rest) > 0 {
		return r.nextLogBatch()
	}
	if r.part != nil && r.from < r.to {
		return r.readOn()
	}
	if out := r.scan.decoder.flush(); out != nil {
		return out, nil
	}
	return nil, r.nextSplit()
}

func (r *scanReader) nextSplit() error {
	if len(r.splits) == 0 {
		if r.arrived.rows != nil {
			r.tc.Report(r.op, connector.ArrivalsKey, r.arrived.report())
		}
		return io.EOF
	}
	var err error
	r.index, r.from, r.to, err = decodeRange(r.splits[0].Data)
	if err != nil {
		return err
	}
	r.splits, r.start, r.tiered = r.splits[1:], r.from, nil
	r.part, err = r.env.Broker.Partition(r.scan.Topic, r.index)
	return err
}

// readOn reads on at r.from: columns where the cold tier has them, else batches. Rows that the decoder holds back go out
// before columns do.
func (r *scanReader) readOn() (*column.Batch, error) {
	if err := r.tc.Context.Err(); err != nil {
		return nil, err
	}
	r.release()
	g, next, err := r.tierGroup()
	switch {
	case err != nil:
		return nil, r.place(err)
	case next > r.from: // excluded by its bounds
		r.from = next
		return nil, nil
	case g == nil:
		return nil, r.readMore()
	}
	if out := r.scan.decoder.flush(); out != nil {
		return out, nil
	}
	return nil, r.openTier(g)
}

func (r *scanReader) readMore() error {
	if start := r.part.Offsets().LogStart; r.from < start {
		return r.place(fmt.Errorf("%w: rows from offset %d were deleted by retention; the log begins at %d", logstore.ErrOffsetOutOfRange, r.from, start))
	}
	res, err := r.part.ReadWait(r.tc.Context, r.from, readBytes, true)
	if err != nil {
		return r.place(err)
	}
	if len(res.Data) == 0 {
		return r.place(fmt.Errorf("streamlog: nothing to read below the bound end %d (last stable offset %d)", r.to, res.LastStable))
	}
	r.read, r.held, r.rest = res, true, res.Data
	r.aborts.reset(res.Aborted)
	return nil
}

// nextLogBatch takes the next batch of the log: rows, a mark, or something a committed reader skips.
func (r *scanReader) nextLogBatch() (*column.Batch, error) {
	b, rest, err := record.Next(r.rest)
	if err != nil {
		return nil, r.place(err)
	}
	if b.BaseOffset() >= r.to {
		r.rest, r.from = nil, r.to
		return nil, nil
	}
	skip := r.aborts.skips(b)
	if b.Attributes().IsControl() {
		return r.control(b, rest)
	}
	r.rest, r.from = rest, b.LastOffset()+1
	if b.Count() == 0 || skip {
		return nil, nil
	}
	if err := r.scan.decoder.begin(b, r.index, r.start, r.to); err != nil {
		return nil, r.place(err)
	}
	r.inBatch = true
	r.arrived.note(b)
	return nil, nil
}

func (r *scanReader) control(b record.Batch, rest []byte) (*column.Batch, error) {
	typ, value, err := b.Control()
	if err != nil {
		return nil, r.place(err)
	}
	if typ == record.ControlIdle {
		// Rows before the mark go out first: they are judged by the clock before it.
		if out := r.scan.decoder.flush(); out != nil {
			return out, nil
		}
		if column, clock, ok := decodeMark(value); ok {
			r.tc.Advance(column, clock)
		}
	}
	r.rest, r.from = rest, b.LastOffset()+1
	return nil, nil
}

func (r *scanReader) release() {
	if r.held {
		r.read.Release()
		r.held, r.rest = false, nil
	}
}

func (r *scanReader) Close() error {
	if !r.closed {
		r.release()
		r.closed = true
	}
	return nil
}

// place adds topic, partition and offset to an error.
func (r *scanReader) place(err error) error {
	return fmt.Errorf("streamlog: %s-%d@%d: %w", r.scan.Topic, r.index, r.from, err)
}
