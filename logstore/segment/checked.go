package segment

// span is a run of positions in the file: from up to, not including, to.
type span struct{ from, to int64 }

// add makes c hold s too when they touch; of two that do not, the longer one stays.
func (c *span) add(s span) {
	switch {
	case s.from <= c.to && c.from <= s.to && c.from < c.to:
		c.from, c.to = min(c.from, s.from), max(c.to, s.to)
	case s.to-s.from > c.to-c.from:
		*c = s
	}
}

func (c span) holds(s span) bool { return c.from <= s.from && s.to <= c.to }

// noteChecked says that the batches between two positions have passed their CRC.
func (s *Segment) noteChecked(from, to int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.checked.add(span{from, to})
}
