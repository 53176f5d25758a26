package physical

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/logical"
)

// StreamAsof is the as-of join of two streams: each left row with the version of its key that was valid at its time. A left
// row waits until the watermark says that all right rows are there which could be that version; so it does not matter which
// of the two comes first, nor where batches end.
//
//	left    ── a 10:00 waits ───────────────── watermark 10:00 ──▶ a 10:00 with b 09:58
//	right   ── b 09:58 ── b 10:02 ── …             versions of b's key: 09:58, 10:02
//
// Of a key it holds the version that is valid at the watermark, and those after it.
type StreamAsof struct {
	Keep                bool // a left row without a partner is put out with nulls
	Left, Right         JoinSide
	LeftTime, RightTime int // columns of the inputs
	Direction           logical.AsofDirection
	Strict              bool
	Tolerance           int64 // microseconds; -1 for any distance
	Wait                int64 // how long after its time, by the watermark, a left row is joined
	Late                int64 // how far before the watermark left rows may still be that are to come
	Grain               int64 // left rows wait until their time rounded up to it, a power of two in microseconds
	Out                 *column.Schema

	left, right *heldSide
}

// A key's versions are one entry, ascending by time; of those of one time the last that came is valid.
//
//	bucket  never*2 + 1   key  column.AppendKey(keys)   value  07, versions
//	version time (varint), length (uvarint), column.AppendRow(columns that are needed)
//
// Left rows that wait lie in pieces, as those of a StreamJoin do, by when they are joined.
const versionsTag = 7

const versionsBucket = never<<1 | 1

func (s *StreamAsof) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	if s.left == nil {
		s.left = newHeldSide(&s.Left, 0, []int{s.LeftTime}, false)
		s.right = newHeldSide(&s.Right, 1, []int{s.RightTime}, false)
	}
	state, err := openState(tc)
	if err != nil {
		return nil, err
	}
	r := &streamAsofRun{s: s}
	r.streamJoinRun = streamJoinRun{tc: tc, op: tc.Op, state: state, mark: closesUpTo(tc), mem: reserve(tc), expires: stateExpires(tc)}
	r.pairing = pairing{left: s.left, right: s.right}
	work := func(emit func(*column.Batch)) error {
		r.emit = emit
		return r.runAsof(in[0], in[1])
	}
	return output(tc, in, drain(work), r.mem.release), nil
}

// streamAsofRun is one micro-batch. It reads and holds left rows as a join does.
type streamAsofRun struct {
	streamJoinRun
	s     *StreamAsof
	value []byte
}

func (r *streamAsofRun) runAsof(leftIn, rightIn rdd.Reader) error {
	left, err := r.collect(r.s.left, leftIn)
	if err != nil {
		return err
	}
	right, err := r.collect(r.s.right, rightIn)
	if err != nil {
		return err
	}
	keys := r.keysOf(right)
	if err := r.learn(right, keys); err != nil {
		return err
	}
	due, err := r.due(left)
	if err != nil {
		return err
	}
	if err := r.answer(due); err != nil {
		return err
	}
	return r.forget(keys)
}

func (r *streamAsofRun) keysOf(rows *joinRows) *keyed {
	return keysOf(rows, make([]bool, len(rows.side.keys)))
}

// learn adds new versions to those of their keys.
func (r *streamAsofRun) learn(right *joinRows, keys *keyed) error {
	times := right.b.Cols[r.s.right.place[r.s.RightTime]]
	var row []byte
	for g := range keys.heads {
		if keys.never[g] {
			continue
		}
		list, err := r.versions(keys, g)
		if err != nil {
			return err
		}
		for i := keys.heads[g]; i >= 0; i = keys.next[i] {
			if !times.IsValid(int(i)) {
				continue
			}
			row = column.AppendRow(row, right.b.Cols, int(i))
			list = append(list, version{times.I64[i], row})
			row = row[len(row):]
		}
		slices.SortStableFunc(list, func(a, b version) int { return cmp.Compare(a.at, b.at) })
		if err := r.keep(keys, g, list); err != nil {
			return err
		}
	}
	return nil
}

// version is a right row as it is held.
type version struct {
	at  int64
	row []byte
}

func (r *streamAsofRun) versions(keys *keyed, g int) ([]version, error) {
	v, ok, err := r.state.Get(versionsBucket, keys.kgs[g], keys.key(g))
	if err != nil || !ok {
		return nil, err
	}
	list, ok := decodeVersions(v)
	if !ok {
		return nil, r.damaged(errPiece)
	}
	return list, nil
}

func decodeVersions(v []byte) ([]version, bool) {
	if len(v) == 0 || v[0] != versionsTag {
		return nil, false
	}
	var list []version
	for v = v[1:]; len(v) > 0; {
		at, w := binary.Varint(v)
		if w <= 0 {
			return nil, false
		}
		n, k := binary.Uvarint(v[w:])
		if k <= 0 || n > uint64(len(v)-w-k) {
			return nil, false
		}
		from := w + k
		list = append(list, version{at, v[from : from+int(n)]})
		v = v[from+int(n):]
	}
	return list, true
}

func (r *streamAsofRun) keep(keys *keyed, g int, list []version) error {
	r.value = append(r.value[:0], versionsTag)
	for _, v := range list {
		r.value = binary.AppendVarint(r.value, v.at)
		r.value = append(binary.AppendUvarint(r.value, uint64(len(v.row))), v.row...)
	}
	return r.state.Put(versionsBucket, keys.kgs[g], keys.key(g), r.value)
}

// forget drops the versions of keys that no left row can ask for any more: of those that are valid at the earliest time of
// such a row, all but the last.
func (r *streamAsofRun) forget(keys *keyed) error {
	floor := behind(r.mark, max(r.s.Late, r.s.Wait)+r.s.Grain)
	for g := range keys.heads {
		if keys.never[g] {
			continue
		}
		list, err := r.versions(keys, g)
		if err != nil {
			return err
		}
		first := 0
		for first+1 < len(list) && list[first+1].at < floor {
			first++
		}
		if first == 0 {
			continue
		}
		if err := r.keep(keys, g, list[first:]); err != nil {
			return err
		}
	}
	return nil
}

// until is the watermark at which row i of the left side is joined.
func (r *streamAsofRun) until(rows *joinRows, i int) (int64, bool) {
	times := rows.b.Cols[rows.side.place[r.s.LeftTime]]
	if !times.IsValid(i) {
		return 0, false
	}
	at := clampTime(addTimes(times.I64[i], r.s.Wait))
	if g := r.s.Grain; g > 0 && at < never {
		at = min((at+g-1)&^(g-1), never-1)
	}
	return at, true
}

// due are the left rows that are joined now: of the new ones and of those that wait. The other new ones are to wait.
func (r *streamAsofRun) due(left *joinRows) (*joinRows, error) {
	h := r.s.left
	w := &holding{state: r.state, op: r.op, expires: r.expires, h: h, cols: left.b.Cols}
	keys := r.keysOf(left)
	var now []int32
	for g := range keys.heads {
		for i := keys.heads[g]; i >= 0; i = keys.next[i] {
			until, ok := r.until(left, int(i))
			if !ok || until <= r.mark {
				now = append(now, i)
				continue
			}
			if err := w.add(until<<1, keys, g, int(i), false); err != nil {
				return nil, err
			}
		}
		if err := w.flush(keys, g); err != nil {
			return nil, err
		}
	}
	slices.Sort(now)
	waited, err := r.waited()
	if err != nil {
		return nil, err
	}
	list := append(waited, column.TakeBatch(nil, left.b, now))
	return &joinRows{side: h, b: column.Concat(h.schema, list)}, nil
}

// waited takes the left rows whose time has come out of state.
func (r *streamAsofRun) waited() ([]*column.Batch, error) {
	buckets, err := r.state.Buckets(bucketsUpTo(r.mark))
	if err != nil {
		return nil, err
	}
	h := r.s.left
	var list []*column.Batch
	for _, b := range buckets {
		if b&1 == 1 {
			continue
		}
		resetBuilders(h.builders)
		n := 0
		var failed error
		err := r.state.Scan(b, func(_ int, _, value []byte) bool {
			failed = eachHeld(value, func(_ byte, row []byte, _ int) error {
				n++
				return column.DecodeRow(row, h.builders)
			})
			return failed == nil
		})
		if err == nil {
			err = failed
		}
		if err != nil {
			return nil, r.damaged(err)
		}
		batch := &column.Batch{Schema: h.schema, N: n, Cols: finishBuilders(h.builders)}
		list = append(list, batch.Clone())
		if err := r.state.DropBucket(b); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// answer puts out left rows with the versions that were valid at their times.
func (r *streamAsofRun) answer(due *joinRows) error {
	if due.b.N == 0 {
		return nil
	}
	h, keys := r.s.right, r.keysOf(due)
	times := due.b.Cols[due.side.place[r.s.LeftTime]]
	mate := make([]int32, due.b.N)
	resetBuilders(h.builders)
	n := int32(0)
	for g := range keys.heads {
		var list []version
		if !keys.never[g] {
			var err error
			if list, err = r.versions(keys, g); err != nil {
				return err
			}
		}
		place := make([]int32, len(list))
		for i := keys.heads[g]; i >= 0; i = keys.next[i] {
			mate[i] = -1
			if !times.IsValid(int(i)) {
				continue
			}
			v := r.s.validAt(list, times.I64[i])
			if v < 0 {
				continue
			}
			if place[v] == 0 {
				if err := column.DecodeRow(list[v].row, h.builders); err != nil {
					return r.damaged(err)
				}
				n++
				place[v] = n
			}
			mate[i] = place[v] - 1
		}
	}
	right := &joinRows{side: h, b: &column.Batch{Schema: h.schema, N: int(n), Cols: finishBuilders(h.builders)}}
	r.putAnswers(due, right, mate)
	return nil
}

func (r *streamAsofRun) putAnswers(due, right *joinRows, mate []int32) {
	var rows, mates []int32
	flush := func() {
		if len(rows) > 0 {
			r.emit(r.gather(r.s.Out, due, rows, right, mates))
		}
		rows, mates = rows[:0], mates[:0]
	}
	for i, m := range mate {
		if m < 0 && !r.s.Keep {
			continue
		}
		rows, mates = append(rows, int32(i)), append(mates, m)
		if len(rows) == column.BatchRows {
			flush()
		}
	}
	flush()
}

// validAt is which of the versions a left row of a time gets, -1 for none.
func (s *StreamAsof) validAt(list []version, at int64) int {
	// after is the first version that does not count as before the row.
	after, _ := slices.BinarySearchFunc(list, at, func(v version, at int64) int {
		if v.at < at || v.at == at && !s.equalsFollow() {
			return -1
		}
		return 1
	})
	before := after - 1
	if s.Strict && s.Direction == logical.Nearest {
		for after < len(list) && list[after].at == at {
			after++
		}
	}
	best := -1
	if s.Direction != logical.Forward && before >= 0 && s.near(at-list[before].at) {
		best = before
	}
	if s.Direction != logical.Backward && after < len(list) && s.near(list[after].at-at) && (best < 0 || list[after].at-at < at-list[before].at) {
		best = after
	}
	return best
}

// equalsFollow tells on which side of the border versions of the very same time stand.
func (s *StreamAsof) equalsFollow() bool {
	if s.Direction == logical.Forward {
		return !s.Strict
	}
	return s.Strict
}

func (s *StreamAsof) near(distance int64) bool { return s.Tolerance < 0 || distance <= s.Tolerance }
