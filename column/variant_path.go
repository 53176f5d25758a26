package column

import (
	"bytes"
	"strconv"
	"strings"
)

// VariantPath is a way from a variant's root to a value in it, such as $.a['b c'][0]. It remembers the ids that its keys
// have in the last metadata: variants that were made alike have the same, and need no comparison of texts then. It is not
// for use by two goroutines at once.
type VariantPath struct {
	steps []variantStep
	meta  []byte
	ids   []int // of each step: idUnknown, idAbsent, or the only entry of that key
}

type variantStep struct {
	key   []byte
	index int // -1: a key
}

const (
	idUnknown = -1 // the key stands in the dictionary more than once
	idAbsent  = -2
)

// ParseVariantPath reads a path in Spark's form: $ and then .key, ['key'], ["key"] or [index].
func ParseVariantPath(s string) (*VariantPath, bool) {
	rest, ok := strings.CutPrefix(s, "$")
	p := &VariantPath{}
	for ok && rest != "" {
		var step variantStep
		step, rest, ok = variantStepOf(rest)
		p.steps = append(p.steps, step)
	}
	p.ids = make([]int, len(p.steps))
	return p, ok
}

func variantStepOf(s string) (step variantStep, rest string, ok bool) {
	if s[0] == '.' {
		end := strings.IndexAny(s[1:], ".[") + 1
		if end == 0 {
			end = len(s)
		}
		return variantStep{[]byte(s[1:end]), -1}, s[end:], end > 1
	}
	if s[0] != '[' || len(s) < 3 {
		return step, s, false
	}
	if q := s[1]; q == '\'' || q == '"' {
		end := strings.IndexByte(s[2:], q) + 2
		if end < 2 || end+1 >= len(s) || s[end+1] != ']' {
			return step, s, false
		}
		return variantStep{[]byte(s[2:end]), -1}, s[end+2:], true
	}
	index, rest, ok := strings.Cut(s[1:], "]")
	n, err := strconv.ParseUint(index, 10, 31)
	return variantStep{index: int(n)}, rest, ok && err == nil
}

// Find follows the path; false when it leads nowhere.
func (p *VariantPath) Find(r VariantRef) (VariantRef, bool) {
	if len(p.steps) > 0 && (p.meta == nil || !bytes.Equal(p.meta, r.Meta)) {
		p.resolve(r)
	}
	for i, s := range p.steps {
		ok := false
		switch {
		case s.index >= 0:
			r, ok = r.At(s.index)
		case p.ids[i] >= 0:
			r, ok = r.fieldByID(p.ids[i])
		case p.ids[i] == idUnknown:
			r, ok = r.Field(s.key)
		}
		if !ok {
			return VariantRef{}, false
		}
	}
	return r, len(r.Value) > 0
}

// resolve looks the path's keys up in the dictionary.
func (p *VariantPath) resolve(r VariantRef) {
	p.meta = append(p.meta[:0], r.Meta...)
	for i := range p.ids {
		p.ids[i] = idAbsent
	}
	size, _, _ := dictionary(r.Meta)
	for id := range size {
		key, ok := r.key(id)
		if !ok {
			return
		}
		for i, s := range p.steps {
			switch {
			case s.index >= 0 || !bytes.Equal(s.key, key):
			case p.ids[i] == idAbsent:
				p.ids[i] = id
			default:
				p.ids[i] = idUnknown
			}
		}
	}
}

// VariantMemberPath is the path to a member of the root.
func VariantMemberPath(key string) *VariantPath {
	return &VariantPath{steps: []variantStep{{[]byte(key), -1}}, ids: make([]int, 1)}
}
