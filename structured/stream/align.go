package stream

// Alignment. A source that is far ahead of another in event time, as when one has a longer backlog, fills the state of what
// both are joined in. Partitions that are more than a drift ahead of the one that is farthest behind are held until it has
// come nearer. Only partitions that have something to read count, so one that is silent holds up nobody, and the one that is
// farthest behind is never held. What is read is the same, in another order between partitions; so the result is, too.

// alignedRows is what a batch takes from one partition at the most while partitions are aligned: so much they can overshoot.
const alignedRows = 1 << 16

// align marks the partitions that are held, in facts that are whole but for that. clocks are as the last batch left them.
func align(f *Facts, drift int64, ops []WatermarkOp, clocks map[string][]int64) {
	if drift <= 0 {
		return
	}
	if f.MaxRows == 0 || f.MaxRows > alignedRows {
		f.MaxRows = alignedRows
	}
	least := int64(EndOfTime)
	each := func(visit func(s *SourceFacts, p int, mark int64)) {
		for i := range ops {
			op := &ops[i]
			for k := range f.Sources {
				s := &f.Sources[k]
				if s.ID != op.Source {
					continue
				}
				from := f.Record.From(s.ID)
				for p, end := range s.Available {
					if p < len(clocks[op.ID]) && end > at(from, p) {
						visit(s, p, behind(clocks[op.ID][p], op.Delay))
					}
				}
			}
		}
	}
	each(func(_ *SourceFacts, _ int, mark int64) { least = min(least, mark) })
	if least == NoTime {
		return // somebody has not begun: where it stands is not known before its first rows are read
	}
	each(func(s *SourceFacts, p int, mark int64) {
		if behind(mark, drift) <= least {
			return
		}
		if s.Held == nil {
			s.Held = make([]bool, len(s.Available))
		}
		s.Held[p] = true
	})
}
