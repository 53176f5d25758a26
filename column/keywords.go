package column

import "math"

// Key words are the row form that the group and join tables compare: each row is a fixed number of 64-bit words, the
// first holding one null bit for each node of the key types. A 64-bit leaf has a word of its own, a decimal or string two;
// narrower leaves share words, that of the null bits first:
//
//	(int, bigint, string)   nulls 3 bits │ int 32 bits    bigint    length, prefix    rest
//
// Rows are equal as keys exactly when their words are equal and, for strings longer than InlineLen (whose second word only
// says where the bytes are), their bytes too. Structs are flattened; lists and maps are keyed by their AppendKey bytes.
type keyLayout struct {
	types  []Type
	leaves []keyLeaf
	width  int // words in a row, the null word included
	nodes  int // null bits
	flat   bool
}

type keyLeaf struct {
	path    []int // key column, then struct members
	typ     Type
	word    int  // first word of the value
	shift   uint // bits of the word below the value
	bits    uint // of a value that shares its word; 0 for one that has words of its own
	bit     int  // null bit of the leaf; the structs above it have the bits in up
	up      []int
	encoded bool // a list or map, stored as its key bytes
}

func newKeyLayout(types []Type) keyLayout {
	l := keyLayout{types: types, width: 1}
	for i, t := range types {
		l.add(t, []int{i}, nil)
	}
	if l.nodes > 64 {
		l = keyLayout{types: types, width: 1, nodes: 1}
		l.leaves = []keyLeaf{{typ: Of(Binary), word: 1, encoded: true}}
		l.width = 3
		return l
	}
	l.flat = len(types) > 0 && len(l.leaves) == l.nodes
	l.pack()
	return l
}

// pack gives each leaf its place.
func (l *keyLayout) pack() {
	used := []uint{uint(l.nodes)} // bits of the words that are shared
	at := []int{0}
	l.width = 1
	for i := range l.leaves {
		f := &l.leaves[i]
		l.flat = l.flat && len(f.path) == 1 && !f.encoded
		bits := f.narrow()
		if bits == 0 {
			f.word = l.width
			l.width += f.words()
			continue
		}
		k := 0
		for k < len(used) && used[k]+bits > 64 {
			k++
		}
		if k == len(used) {
			used, at = append(used, 0), append(at, l.width)
			l.width++
		}
		f.word, f.shift, f.bits = at[k], used[k], bits
		used[k] += bits
	}
}

// narrow is how many bits a leaf takes that can share a word, 0 for others. A float is kept as the bits of a double, in
// which 0 and NaN are one, and so is not narrow.
func (f *keyLeaf) narrow() uint {
	if f.encoded {
		return 0
	}
	switch f.typ.Kind.Storage() {
	case StorageBool:
		return 1
	case StorageI8:
		return 8
	case StorageI16:
		return 16
	case StorageI32:
		return 32
	}
	return 0
}

// whole reports whether the layout encodes all key columns as one byte string, which it does for very wide keys.
func (l *keyLayout) whole() bool { return len(l.leaves) == 1 && l.leaves[0].path == nil }

func (l *keyLayout) add(t Type, path, up []int) {
	b := l.nodes
	l.nodes++
	if t.Kind == Struct {
		for i, f := range t.Fields {
			l.add(f.Type, append(append([]int{}, path...), i), append(append([]int{}, up...), b))
		}
		if len(t.Fields) == 0 {
			l.leaves = append(l.leaves, keyLeaf{path: path, typ: t, bit: b, up: up})
		}
		return
	}
	l.leaves = append(l.leaves, keyLeaf{path: path, typ: t, bit: b, up: up, encoded: t.Kind.Storage() == StorageList})
}

func (f *keyLeaf) isBytes() bool { return f.encoded || f.typ.Kind.Storage() == StorageBytes }

// encode writes the key words of rows 0 … n-1 row after row to dst. The second word of a long string is unset.
func (l *keyLayout) encode(dst []uint64, keys []*Vector, n int, long *longStrings) []uint64 {
	dst = resize(dst, n*l.width)
	clear(dst)
	long.reset(len(l.leaves))
	if l.whole() {
		var enc Builder
		enc.init(Of(Binary))
		var buf []byte
		for i := range n {
			buf = AppendKey(buf[:0], keys, i)
			enc.AppendBytes(buf)
		}
		l.encodeLeaf(dst, 0, enc.Finish(), n, long)
		return dst
	}
	for i, k := range keys {
		l.encodeNulls(dst, k, n, i)
	}
	for i := range l.leaves {
		v := leafVector(keys, l.leaves[i].path)
		if l.leaves[i].encoded {
			v = encodeAsKeys(v, n)
		}
		l.encodeLeaf(dst, i, v, n, long)
	}
	return dst
}

func leafVector(keys []*Vector, path []int) *Vector {
	v := keys[path[0]]
	for _, p := range path[1:] {
		v = v.Kids[p]
	}
	return v
}

func encodeAsKeys(v *Vector, n int) *Vector {
	b := NewBuilder(Of(Binary))
	var buf []byte
	for i := range n {
		if !v.IsValid(i) {
			b.AppendNull()
			continue
		}
		buf = AppendKey(buf[:0], []*Vector{v}, i)
		b.AppendBytes(buf)
	}
	return b.Finish()
}

// encodeNulls sets the null bits of key column i and of everything below it; a member of a null struct is null too.
func (l *keyLayout) encodeNulls(dst []uint64, v *Vector, n, i int) {
	b := 0
	for _, t := range l.types[:i] {
		b += nodesOf(t)
	}
	l.nodeNulls(dst, v, n, b, nil)
}

func nodesOf(t Type) int {
	n := 1
	if t.Kind == Struct {
		for _, f := range t.Fields {
			n += nodesOf(f.Type)
		}
	}
	return n
}

func (l *keyLayout) nodeNulls(dst []uint64, v *Vector, n, b int, up []uint) int {
	mask := uint64(1) << uint(b)
	if v.Valid != nil || v.Type.Kind == Null {
		for i := range n {
			if !v.IsValid(i) {
				dst[i*l.width] |= mask
			}
		}
	}
	for _, u := range up {
		for i := range n {
			if dst[i*l.width]>>u&1 != 0 {
				dst[i*l.width] |= mask
			}
		}
	}
	next := b + 1
	if v.Type.Kind == Struct {
		below := up
		if v.Valid != nil || len(up) > 0 {
			below = []uint{uint(b)}
		}
		for _, k := range v.Kids {
			next = l.nodeNulls(dst, k, n, next, below)
		}
	}
	return next
}

func (l *keyLayout) encodeLeaf(dst []uint64, leaf int, v *Vector, n int, long *longStrings) {
	f := &l.leaves[leaf]
	w := f.word
	switch v.Type.Kind.Storage() {
	case StorageBool:
		for i, x := range v.Bools[:n] {
			dst[i*l.width+w] |= uint64(boolInt(x)) << f.shift
		}
	case StorageI8:
		packInts(dst, v.I8[:n], f, l.width)
	case StorageI16:
		packInts(dst, v.I16[:n], f, l.width)
	case StorageI32:
		packInts(dst, v.I32[:n], f, l.width)
	case StorageI64:
		encodeInts(dst, v.I64[:n], w, l.width)
	case StorageF32:
		for i, x := range v.F32[:n] {
			dst[i*l.width+w] = floatBits(float64(x))
		}
	case StorageF64:
		for i, x := range v.F64[:n] {
			dst[i*l.width+w] = floatBits(x)
		}
	case StorageDec:
		for i, x := range v.Dec[:n] {
			dst[i*l.width+w], dst[i*l.width+w+1] = x.Lo, uint64(x.Hi)
		}
	case StorageBytes:
		encodeViews(dst, v, n, w, l.width, long, leaf)
	}
	if words := f.words(); words > 0 && (v.Valid != nil || len(f.up) > 0) {
		mask := uint64(1) << uint(f.bit)
		if l.whole() {
			mask = 0
		}
		value := f.mask()
		for i := range n {
			if dst[i*l.width]&mask != 0 {
				dst[i*l.width+w] &^= value
				if words > 1 {
					dst[i*l.width+w+1] = 0
				}
			}
		}
	}
}

// mask is the bits of the leaf's first word that are its own.
func (f *keyLeaf) mask() uint64 {
	if f.bits == 0 {
		return ^uint64(0)
	}
	return (1<<f.bits - 1) << f.shift
}

func (f *keyLeaf) words() int {
	switch {
	case f.isBytes() || f.typ.Kind == Decimal:
		return 2
	case f.typ.Kind == Null || f.typ.Kind == Struct:
		return 0
	}
	return 1
}

func encodeInts[T Integer](dst []uint64, src []T, w, width int) {
	for i, x := range src {
		dst[i*width+w] = uint64(int64(x))
	}
}

// packInts puts integers into words that they share.
func packInts[T Integer](dst []uint64, src []T, f *keyLeaf, width int) {
	w, shift, mask := f.word, f.shift&63, uint64(1)<<f.bits-1
	for i, x := range src {
		dst[i*width+w] |= (uint64(int64(x)) & mask) << shift
	}
}

// longStrings remembers, for each string leaf of the batch being encoded, the vector whose bytes long strings have.
type longStrings struct {
	of  []*Vector
	any bool // some string of the batch is long
}

func (s *longStrings) reset(leaves int) {
	s.of = resize(s.of, leaves)
	clear(s.of)
	s.any = false
}

func encodeViews(dst []uint64, v *Vector, n, w, width int, long *longStrings, leaf int) {
	long.of[leaf] = v
	top := uint32(0)
	defer func() { long.any = long.any || top > InlineLen }()
	if v.Codes != nil {
		if v.Dict.N == 0 {
			return
		}
		for i, c := range v.Codes[:n] {
			x := &v.Dict.Views[c]
			dst[i*width+w], dst[i*width+w+1] = x.words()
			top = max(top, x.Len)
		}
		return
	}
	views := v.Views[:n]
	for i := range views {
		dst[i*width+w], dst[i*width+w+1] = views[i].words()
		top = max(top, views[i].Len)
	}
}

// isLong tells from a string's first word whether its bytes lie elsewhere.
func isLong(word uint64) bool { return uint32(word) > InlineLen }

// decode turns the words of stored rows from … to-1 back into rows appended to the builders, one for each key column.
func (l *keyLayout) decode(rows []uint64, from, to int, arena *byteArena, out []*Builder) {
	for g := from; g < to; g++ {
		row := rows[g*l.width : (g+1)*l.width]
		if l.whole() {
			if err := DecodeKey(arena.bytes(row[1], row[2]), out); err != nil {
				panic("BUG: a stored key does not decode: " + err.Error())
			}
			continue
		}
		leaf, b := 0, 0
		for i, t := range l.types {
			l.decodeNode(row, t, &leaf, &b, arena, out[i])
		}
	}
}

func (l *keyLayout) decodeNode(row []uint64, t Type, leaf, b *int, arena *byteArena, out *Builder) {
	null := row[0]>>uint(*b)&1 != 0
	*b++
	if t.Kind == Struct {
		for i, f := range t.Fields {
			l.decodeNode(row, f.Type, leaf, b, arena, out.Kid(i))
		}
		if len(t.Fields) == 0 {
			*leaf++
		}
		out.closeStruct(!null)
		return
	}
	f := &l.leaves[*leaf]
	*leaf++
	if null {
		out.AppendNull()
		return
	}
	w := row[f.word:]
	switch t.Kind.Storage() {
	case StorageBool:
		out.AppendBool(w[0]>>f.shift&1 != 0)
	case StorageI8, StorageI16, StorageI32:
		out.AppendI64(f.integer(w[0]))
	case StorageF32, StorageF64:
		out.AppendF64(math.Float64frombits(w[0]))
	case StorageDec:
		out.AppendDec(Dec128{Lo: w[0], Hi: int64(w[1])})
	case StorageBytes:
		out.AppendBytes(arena.bytes(w[0], w[1]))
	case StorageList:
		if err := DecodeKey(arena.bytes(w[0], w[1]), []*Builder{out}); err != nil {
			panic("BUG: a stored key does not decode: " + err.Error())
		}
	default:
		out.AppendI64(int64(w[0]))
	}
}

// integer is the value of a narrow integer in its word.
func (f *keyLeaf) integer(word uint64) int64 {
	return int64(word<<(64-f.shift-f.bits)) >> (64 - f.bits)
}

// closeStruct ends a struct row whose members have been appended, null or not.
func (b *Builder) closeStruct(valid bool) {
	if b.done {
		b.fresh()
	}
	if valid {
		b.added()
		return
	}
	if b.v.Valid == nil {
		b.v.Valid = AllValid(b.v.spare, b.v.N)
		b.v.spare = nil
	}
	b.setBit(false)
	b.v.N++
}
