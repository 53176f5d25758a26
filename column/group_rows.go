package column

import "bytes"

// findRows probes the table with the rows encoded in t.words.
func (t *GroupTable) findRows(gids []uint32, hashes []uint64, insert bool) {
	for from := 0; from < len(gids); from += stage {
		to := min(from+stage, len(gids))
		if len(t.tags) >= bigSlots {
			t.touchRows(hashes[from:to])
		}
		t.probeRows(gids, hashes, from, to, insert)
	}
}

// touchRows loads the home slots of a stage, then the rows they name, each in a pass of independent loads.
func (t *GroupTable) touchRows(hashes []uint64) {
	var ids [stage]uint32
	for i, h := range hashes {
		ids[i] = uint32(t.tags[home(h)&t.mask])
	}
	acc, w := uint64(0), t.layout.width
	for _, id := range ids[:len(hashes)] {
		if id != 0 {
			acc += t.rows[int(id-1)*w]
		}
	}
	if acc == 1 {
		touched.Store(acc)
	}
}

func (t *GroupTable) probeRows(gids []uint32, hashes []uint64, from, to int, insert bool) {
	w := t.layout.width
	for i := from; i < to; i++ {
		h := hashes[i]
		row := t.words[i*w : i*w+w]
		s := home(h) & t.mask
		for {
			tag := t.tags[s]
			if tag == 0 {
				gids[i] = NoGroup
				if insert {
					gids[i] = t.addRow(s, i, h)
				}
				break
			}
			if tag>>32 == h>>32 {
				if g := uint32(tag) - 1; t.sameKey(t.rows[int(g)*w:int(g)*w+w], row, i) {
					gids[i] = g
					break
				}
			}
			s = (s + 1) & t.mask
		}
	}
}

// sameKey compares a stored row with row i of the batch being encoded.
func (t *GroupTable) sameKey(stored, row []uint64, i int) bool {
	row = row[:len(stored)]
	same := true
	for k, x := range stored {
		if x != row[k] {
			same = false
			break
		}
	}
	if !t.long.any {
		return same
	}
	if same && t.noLong(row) {
		return true
	}
	return t.sameLong(stored, row, i)
}

// noLong reports whether no string of the row is longer than InlineLen.
func (t *GroupTable) noLong(row []uint64) bool {
	for k := range t.layout.leaves {
		if f := &t.layout.leaves[k]; f.isBytes() && isLong(row[f.word]) {
			return false
		}
	}
	return true
}

// sameLong is the comparison of rows with long strings, whose second words are places and differ.
func (t *GroupTable) sameLong(stored, row []uint64, i int) bool {
	if stored[0] != row[0] {
		return false
	}
	for k := range t.layout.leaves {
		f := &t.layout.leaves[k]
		for w := f.word; w < f.word+f.words(); w++ {
			if stored[w] == row[w] && w == f.word {
				continue
			}
			if w > f.word && f.isBytes() && isLong(row[f.word]) {
				if !bytes.Equal(t.arena.long(stored[f.word], stored[w]), t.long.of[k].Bytes(i)) {
					return false
				}
				continue
			}
			if stored[w] != row[w] {
				return false
			}
		}
	}
	return true
}

// addRow makes a group of row i in the empty slot s.
func (t *GroupTable) addRow(s uint64, i int, h uint64) uint32 {
	g := uint32(t.n)
	t.tags[s] = h>>32<<32 | uint64(g+1)
	w := t.layout.width
	t.rows = append(grown(t.rows, w), t.words[i*w:i*w+w]...)
	row := t.rows[int(g)*w:]
	for k := range t.layout.leaves {
		if f := &t.layout.leaves[k]; f.isBytes() && isLong(row[f.word]) {
			row[f.word], row[f.word+1] = t.arena.add(t.long.of[k].Bytes(i))
		}
	}
	t.push(h)
	if t.n > len(t.tags)/2 {
		t.growRows()
	}
	return g
}

func (t *GroupTable) growRows() {
	t.alloc(len(t.tags) * 2 * growth(len(t.tags)))
	for g, h := range t.hashes {
		s := home(h) & t.mask
		for t.tags[s] != 0 {
			s = (s + 1) & t.mask
		}
		t.tags[s] = h>>32<<32 | uint64(g+1)
	}
}
