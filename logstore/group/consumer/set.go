package consumer

import (
	"bytes"
	"slices"
)

// TopicID names a topic for its life.
type TopicID [16]byte

// Partition is a partition of a topic.
type Partition struct {
	Topic TopicID
	Index int32
}

// Set is partitions in order, each once. It is never changed; operations make new ones.
type Set []Partition

// Compare orders partitions by topic and index.
func (p Partition) Compare(q Partition) int {
	if c := bytes.Compare(p.Topic[:], q.Topic[:]); c != 0 {
		return c
	}
	return int(p.Index) - int(q.Index)
}

// NewSet makes a set of partitions in any order.
func NewSet(ps []Partition) Set {
	s := slices.Clone(ps)
	slices.SortFunc(s, Partition.Compare)
	return slices.Compact(s)
}

// Has is whether p is in the set.
func (s Set) Has(p Partition) bool {
	_, ok := slices.BinarySearchFunc(s, p, Partition.Compare)
	return ok
}

// and is what is in both.
func (s Set) and(t Set) Set {
	return s.merge(t, func(inS, inT bool) bool { return inS && inT })
}

// minus is what is in s only.
func (s Set) minus(t Set) Set {
	return s.merge(t, func(inS, inT bool) bool { return inS && !inT })
}

// or is what is in one of them.
func (s Set) or(t Set) Set {
	return s.merge(t, func(inS, inT bool) bool { return true })
}

// meets is whether some partition is in both.
func (s Set) meets(t Set) bool { return len(s.and(t)) > 0 }

// within is whether t has all of s.
func (s Set) within(t Set) bool { return len(s.minus(t)) == 0 }

// merge walks both sets in order and keeps what keep says.
func (s Set) merge(t Set, keep func(inS, inT bool) bool) Set {
	var out Set
	for len(s) > 0 || len(t) > 0 {
		c := 0
		switch {
		case len(t) == 0:
			c = -1
		case len(s) == 0:
			c = 1
		default:
			c = s[0].Compare(t[0])
		}
		var p Partition
		if c <= 0 {
			p, s = s[0], s[1:]
		}
		if c >= 0 {
			p, t = t[0], t[1:]
		}
		if keep(c <= 0, c >= 0) {
			out = append(out, p)
		}
	}
	return out
}
