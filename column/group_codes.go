package column

// maxCombos is how many combinations of dictionary entries are looked up by a table of their own.
const maxCombos = 2048

// InsertCoded is Insert for one key that is codes of a fixed dictionary, each of which is looked up once, and for keys that
// are dictionary codes without nulls and of few combinations: each combination is looked up once for a batch. Rows need no
// hash. false means that the keys are not so, and that nothing was done.
func (t *GroupTable) InsertCoded(gids []uint32, keys []*Vector, n int) ([]uint32, bool) {
	if len(keys) == 1 && t.remembers(keys[0], n) {
		return t.insertFixed(gids, keys[0], n), true
	}
	combos := 1
	for _, k := range keys {
		if k.Codes == nil || k.Valid != nil || k.Const || k.Dict.N == 0 {
			return gids, false
		}
		if combos *= k.Dict.N; combos > min(n, maxCombos) {
			return gids, false
		}
	}
	if len(keys) == 0 {
		return gids, false
	}
	t.cached = nil
	gids = resize(gids, n)
	combine32(gids, keys)
	t.byCombo = resize(t.byCombo, combos)
	byCombo := t.byCombo
	for i := range byCombo {
		byCombo[i] = NoGroup
	}
	var firsts []int32
	for i, c := range gids {
		if byCombo[c] == NoGroup {
			byCombo[c] = 0
			firsts = append(firsts, int32(i))
		}
	}
	few := make([]*Vector, len(keys))
	for i, k := range keys {
		few[i] = Plain(Take(nil, k, firsts))
	}
	ids := t.find(nil, few, Hash(nil, few, len(firsts)), len(firsts), true)
	for i, r := range firsts {
		byCombo[gids[r]] = ids[i]
	}
	for i, c := range gids {
		gids[i] = byCombo[c]
	}
	return gids, true
}

// remembers reports whether the groups of v's codes are worth keeping from batch to batch.
func (t *GroupTable) remembers(v *Vector, n int) bool {
	if v.Codes == nil || v.Const || v.Dict.fixed == nil || v.Dict.N == 0 || !t.oneString {
		return false
	}
	return t.codesOf == v.Dict || v.Dict.N <= DictShare*n
}

// insertFixed finds groups by the codes of a fixed dictionary. Only codes that no batch had before are looked up by their strings.
func (t *GroupTable) insertFixed(gids []uint32, v *Vector, n int) []uint32 {
	t.cached = nil
	gids = resize(gids, n)
	if t.codesOf != v.Dict {
		t.forgetCodes(v.Dict.N)
		t.codesOf = v.Dict
	}
	byCode, codes := t.byCode, v.Codes[:n]
	missing := false
	for i, c := range codes {
		g := byCode[c]
		gids[i] = g
		if g == NoGroup {
			missing = true
		}
	}
	if missing || v.Valid != nil {
		t.insertMissing(gids, v)
	}
	return gids
}

// insertMissing makes groups of the codes that have none yet, and gives null rows theirs.
func (t *GroupTable) insertMissing(gids []uint32, v *Vector) {
	var firsts []int32
	for i, c := range v.Codes[:len(gids)] {
		if t.byCode[c] == NoGroup && v.IsValid(i) {
			t.byCode[c] = 0
			firsts = append(firsts, int32(i))
		}
	}
	if v.Valid != nil {
		if null := firstNull(v, len(gids)); null >= 0 {
			firsts = insertSorted(firsts, null)
		}
	}
	few := Plain(Take(nil, v, firsts))
	ids := make([]uint32, len(firsts))
	t.findStrings(ids, few, Hash(nil, []*Vector{few}, len(firsts)), true)
	nullID := NoGroup
	for i, r := range firsts {
		if v.IsValid(int(r)) {
			t.byCode[v.Codes[r]] = ids[i]
		} else {
			nullID = ids[i]
		}
	}
	for i, c := range v.Codes[:len(gids)] {
		gids[i] = t.byCode[c]
		if v.Valid != nil && !bit(v.Valid, i) {
			gids[i] = nullID
		}
	}
}

// combine32 writes the number of each row's combination of codes.
func combine32(dst []uint32, keys []*Vector) {
	for i, c := range keys[0].Codes[:len(dst)] {
		dst[i] = uint32(c)
	}
	for _, k := range keys[1:] {
		size := uint32(k.Dict.N)
		for i, c := range k.Codes[:len(dst)] {
			dst[i] = dst[i]*size + uint32(c)
		}
	}
}

// Reserve makes room for n groups in an empty table, so that it need not grow on the way there.
func (t *GroupTable) Reserve(n int) {
	slots := firstSlots
	for slots < 2*n {
		slots *= 2
	}
	if t.n > 0 || slots == firstSlots {
		return
	}
	t.alloc(slots)
	width := 1
	if !t.single {
		width = t.layout.width
	}
	t.rows = hugeSlice[uint64](n * width)[:0]
	t.hashes = hugeSlice[uint64](n)[:0]
}
