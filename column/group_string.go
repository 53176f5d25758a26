package column

import (
	"bytes"
	"unsafe"
)

// findStrings is findRows for a table whose one key is a string column with views: the words of the batch are its views,
// so nothing is encoded.
func (t *GroupTable) findStrings(gids []uint32, v *Vector, hashes []uint64, insert bool) {
	for from := 0; from < len(gids); from += stage {
		to := min(from+stage, len(gids))
		if len(t.tags) >= bigSlots {
			t.touchRows(hashes[from:to])
		}
		for i := from; i < to; i++ {
			var row [3]uint64
			if v.Valid == nil || bit(v.Valid, i) {
				row[1], row[2] = v.Views[i].words()
			} else {
				row[0] = 1
			}
			gids[i] = t.probeString(&row, v, i, hashes[i], insert)
		}
	}
}

func (t *GroupTable) probeString(row *[3]uint64, v *Vector, i int, h uint64, insert bool) uint32 {
	tags, tag32 := t.tags, h>>32
	for s := home(h) & t.mask; ; s = (s + 1) & t.mask {
		tag := tags[s]
		if tag == 0 {
			if !insert {
				return NoGroup
			}
			return t.addString(s, row, v, i, h)
		}
		if tag>>32 != tag32 {
			continue
		}
		g := uint32(tag) - 1
		stored := (*[3]uint64)(unsafe.Pointer(&t.rows[3*int(g)]))
		if stored[0] != row[0] || stored[1] != row[1] {
			continue
		}
		if stored[2] == row[2] && !isLong(row[1]) || isLong(row[1]) && bytes.Equal(t.arena.long(stored[1], stored[2]), v.Bytes(i)) {
			return g
		}
	}
}

func (t *GroupTable) addString(s uint64, row *[3]uint64, v *Vector, i int, h uint64) uint32 {
	g := uint32(t.n)
	t.tags[s] = h>>32<<32 | uint64(g+1)
	if isLong(row[1]) {
		row[1], row[2] = t.arena.add(v.Bytes(i))
	}
	t.rows = append(grown(t.rows, 3), row[0], row[1], row[2])
	t.push(h)
	if t.n > len(t.tags)/2 {
		t.growRows()
	}
	return g
}
