package column

import "fmt"

// calendar reads an interval as text.
func (s *JSONScanner) calendar(field string, i int) (Dec128, int) {
	if i >= len(s.rec) || s.rec[i] != '"' {
		return Dec128{}, s.refuse(field, Of(Calendar), i, "")
	}
	text, next := s.str(field, i)
	if next < 0 {
		return Dec128{}, -1
	}
	c, ok := ParseCalendar(textOf(text))
	if !ok {
		return Dec128{}, s.refuse(field, Of(Calendar), i, "")
	}
	return c.Dec(), next
}

// variant reads any value as a variant. The result is valid until the next call.
func (s *JSONScanner) variant(field string, i int) ([]byte, int) {
	next := s.skip(field, i, 0)
	if next < 0 {
		return nil, -1
	}
	if s.builder == nil {
		s.builder = &VariantBuilder{}
	}
	why, key := s.builder.ParseVariant(s.rec[i:next])
	if why != "" {
		return nil, s.fail(field, i, "the value is no variant: %s", fmt.Sprint(why, key))
	}
	out, ok := s.builder.Append(nil)
	if !ok {
		return nil, s.fail(field, i, "the variant is larger than %d bytes", MaxVariant)
	}
	return out, next
}
