package column

// JoinTable is the build side of a hash join: its rows grouped by key. Rows of one key lie side by side in order, so a
// probe finds all its matches by one lookup. A key with a null matches nothing, unless NullSafe says otherwise.
type JoinTable struct {
	Build *Batch
	// NullSafe, when set before the first Start, makes null equal to null for the keys where it is true (a <=> b).
	NullSafe []bool

	keys   []int
	groups *GroupTable
	starts []int32 // group g's rows are rows[starts[g]:starts[g+1]]
	rows   []int32
	unique bool // group g is exactly row g
	marks  []uint64
}

// NewJoinTable builds the table over the key columns of build, which it keeps.
func NewJoinTable(build *Batch, keys []int) *JoinTable {
	t := &JoinTable{Build: build, keys: keys}
	cols, types := make([]*Vector, len(keys)), make([]Type, len(keys))
	for i, k := range keys {
		cols[i], types[i] = build.Cols[k], build.Schema.Fields[k].Type
	}
	t.groups = NewGroupTable(types)
	t.groups.Reserve(build.N)
	gids := make([]uint32, 0, build.N)
	var part []*Vector
	var hashes []uint64
	for from := 0; from < build.N; from += BatchRows {
		n := min(BatchRows, build.N-from)
		part = part[:0]
		for _, c := range cols {
			part = append(part, c.Slice(from, from+n))
		}
		hashes = Hash(hashes, part, n)
		t.groups.Insert(gids[from:from+n:from+n], part, hashes, n)
		gids = gids[:from+n]
	}
	t.index(gids)
	return t
}

// index lists the rows of each group by counting.
func (t *JoinTable) index(gids []uint32) {
	n := t.groups.Len()
	if n == len(gids) {
		t.unique = true
		return
	}
	t.starts = hugeSlice[int32](n + 1)
	for _, g := range gids {
		t.starts[g+1]++
	}
	for g := range n {
		t.starts[g+1] += t.starts[g]
	}
	t.rows = hugeSlice[int32](len(gids))
	at := clone(t.starts)
	for r, g := range gids {
		t.rows[at[g]] = int32(r)
		at[g]++
	}
}

// Unique reports whether no two build rows have the same key.
func (t *JoinTable) Unique() bool { return t.unique }

// Bytes is the memory of the table without the build batch.
func (t *JoinTable) Bytes() int64 {
	return t.groups.Bytes() + int64(cap(t.starts)+cap(t.rows))*4 + int64(cap(t.marks))*8
}

// matches are the build rows of group g.
func (t *JoinTable) matches(g uint32) []int32 {
	return t.rows[t.starts[g]:t.starts[g+1]]
}

// Probe walks the matches of one probe batch at a time. Several probes may use one table at once, as long as only one of
// them marks.
type Probe struct {
	t      *JoinTable
	gids   []uint32
	hashes []uint64
	n      int
	row    int // next probe row
	at     int // matches of row already given out
}

// NewProbe returns a probe of the table.
func (t *JoinTable) NewProbe() *Probe { return &Probe{t: t} }

// Start looks up the n rows of the key columns; the pairs are then read by Next.
func (p *Probe) Start(keys []*Vector, n int) {
	p.hashes = Hash(p.hashes, keys, n)
	p.gids = p.t.groups.Lookup(p.gids, keys, p.hashes, n)
	for i, k := range keys {
		if i < len(p.t.NullSafe) && p.t.NullSafe[i] {
			continue
		}
		if k.Type.Kind == Null || k.Valid != nil {
			for r := range n {
				if !k.IsValid(r) {
					p.gids[r] = NoGroup
				}
			}
		}
	}
	p.n, p.row, p.at = n, 0, 0
}

// Next returns up to limit further matching pairs, probe row and build row side by side, in probe order; both slices
// are reused. No pairs means that the batch is done.
func (p *Probe) Next(probe, build []int32, limit int) ([]int32, []int32) {
	probe, build = probe[:0], build[:0]
	if p.t.unique {
		return p.nextUnique(probe, build, limit)
	}
	for p.row < p.n && len(probe) < limit {
		g := p.gids[p.row]
		if g == NoGroup {
			p.row++
			continue
		}
		all := p.t.matches(g)
		some := all[p.at:min(len(all), p.at+limit-len(probe))]
		for _, b := range some {
			probe, build = append(probe, int32(p.row)), append(build, b)
		}
		p.at += len(some)
		if p.at == len(all) {
			p.row, p.at = p.row+1, 0
		}
	}
	return probe, build
}

func (p *Probe) nextUnique(probe, build []int32, limit int) ([]int32, []int32) {
	to := min(p.n, p.row+limit)
	probe, build = resize(probe, to-p.row), resize(build, to-p.row)
	for {
		k := 0
		for r := p.row; r < to; r++ {
			g := p.gids[r]
			probe[k], build[k] = int32(r), int32(g)
			inc := 0
			if g != NoGroup {
				inc = 1
			}
			k += inc
		}
		p.row = to
		if k > 0 || to == p.n {
			return probe[:k], build[:k]
		}
		to = min(p.n, to+limit)
		probe, build = resize(probe, to-p.row), resize(build, to-p.row)
	}
}

// Matched writes whether each probe row has a match: what semi, anti and mark joins need. dst is reused.
func (p *Probe) Matched(dst []bool) []bool {
	dst = resize(dst, p.n)
	for i, g := range p.gids[:p.n] {
		dst[i] = g != NoGroup
	}
	return dst
}

// Mark notes that build rows have found a partner, for outer joins.
func (t *JoinTable) Mark(build []int32) {
	if t.marks == nil {
		t.marks = make([]uint64, (t.Build.N+63)/64)
	}
	for _, r := range build {
		t.marks[uint32(r)>>6] |= 1 << (uint32(r) & 63)
	}
}

// Marks is the bitmap of build rows that Mark has seen, nil when there were none.
func (t *JoinTable) Marks() []uint64 { return t.marks }

// MergeMarks adds the marks of another table over the same build rows.
func (t *JoinTable) MergeMarks(marks []uint64) {
	if marks == nil {
		return
	}
	if t.marks == nil {
		t.marks = make([]uint64, (t.Build.N+63)/64)
	}
	for i, m := range marks {
		t.marks[i] |= m
	}
}

// Unmarked returns the build rows with no mark, in order.
func (t *JoinTable) Unmarked(dst []int32) []int32 {
	if t.marks == nil {
		return AllRows(dst, t.Build.N)
	}
	inverted := make([]uint64, len(t.marks))
	for i, m := range t.marks {
		inverted[i] = ^m
	}
	return bitmapRows(resize(dst, t.Build.N), inverted, t.Build.N)
}
