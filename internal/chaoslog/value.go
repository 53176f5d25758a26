package chaoslog

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/twmb/franz-go/pkg/kgo"
)

// record makes a record of a value. The key is the value; the body follows from it, with a length of 10 to some thousand bytes,
// so that a reader can tell whether it got what was sent.
func record(p Place, value string) *kgo.Record {
	return &kgo.Record{Topic: p.Topic, Partition: p.Partition, Key: []byte(value), Value: []byte(body(value))}
}

func body(value string) string {
	h := fnv.New64a()
	h.Write([]byte(value))
	sum := h.Sum64()
	n := 1 + sum%40
	if sum%17 == 0 {
		n *= 10
	}
	return strings.Repeat(fmt.Sprintf("%016x", sum), int(n))
}

// seenOf is a record as a reader got it.
func seenOf(r *kgo.Record) Seen {
	s := Seen{Offset: r.Offset, Value: string(r.Key)}
	if string(r.Value) != body(s.Value) {
		s.Broken = fmt.Sprintf("key %.60q has a value of %d bytes that was not made for it", s.Value, len(r.Value))
	}
	return s
}
