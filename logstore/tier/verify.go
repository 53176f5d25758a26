package tier

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strconv"
	"strings"

	"github.com/google/uuid"
)

// PartitionReport is what Verify found of a partition.
type PartitionReport struct {
	Topic       uuid.UUID
	Partition   int32
	Start, Next int64 // offsets [Start, Next)
	Objects     int   // finished ones
	Records     int64
	Bytes       int64   // of those objects
	Garbage     int     // objects that no manifest points to; the next leader deletes them
	Damage      []error // *usererr.Error: what is wrong and where
}

// Verify reads everything that the store has: each partition's newest manifest, each object that it points to, by its
// checksum, and each batch in it. Nodes may work on meanwhile: what they delete while it is looked for is not damage.
func Verify(ctx context.Context, s Store) ([]PartitionReport, error) {
	list, err := s.List(ctx, "")
	if err != nil {
		return nil, err
	}
	found := map[partitionID][]string{}
	for _, o := range list {
		if id, ok := partitionOf(o.Key); ok {
			found[id] = append(found[id], o.Key)
		}
	}
	var out []PartitionReport
	for id, keys := range found {
		r, err := verifyPartition(ctx, s, id, keys)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b PartitionReport) int {
		return cmp.Or(strings.Compare(a.Topic.String(), b.Topic.String()), cmp.Compare(a.Partition, b.Partition))
	})
	return out, nil
}

// partitionOf reads a key's first two parts.
func partitionOf(key string) (partitionID, bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 {
		return partitionID{}, false
	}
	topic, err1 := uuid.Parse(parts[0])
	n, err2 := strconv.ParseInt(parts[1], 10, 32)
	return partitionID{topic, int32(n)}, err1 == nil && err2 == nil && n >= 0
}

func verifyPartition(ctx context.Context, s Store, id partitionID, keys []string) (PartitionReport, error) {
	r := PartitionReport{Topic: id.topic, Partition: id.partition}
	l := newLedger(s, id)
	if _, err := l.refresh(ctx); err != nil {
		return r, r.note(l.id.manifests(), err)
	}
	known := map[string]bool{}
	for _, e := range l.current.Entries {
		known[e.Key] = true
	}
	for _, k := range keys {
		if strings.HasPrefix(k, id.data()) && !known[k] {
			r.Garbage++
		}
	}
	r.Start, r.Next = l.current.Start, l.current.Next()
	for _, e := range l.current.finished() {
		r.Objects++
		r.Records, r.Bytes = r.Records+e.Records, r.Bytes+e.Size
		err := verifyObject(ctx, s, e)
		if errors.Is(err, ErrNotFound) && !stillThere(ctx, s, id, e.Key) {
			continue
		}
		if err := r.note(e.Key, err); err != nil {
			return r, err
		}
	}
	return r, nil
}

// stillThere tells whether the newest manifest points to an object.
func stillThere(ctx context.Context, s Store, id partitionID, key string) bool {
	l := newLedger(s, id)
	if _, err := l.refresh(ctx); err != nil {
		return true
	}
	return slices.ContainsFunc(l.current.finished(), func(e Entry) bool { return e.Key == key })
}

// verifyObject sums an object, and reads each of its blocks.
func verifyObject(ctx context.Context, s Store, e Entry) error {
	crc := uint32(0)
	for at := int64(0); at < e.Size; at += rawBlock {
		b, err := s.Get(ctx, e.Key, at, min(rawBlock, e.Size-at))
		if err != nil {
			return err
		}
		crc = crc32.Update(crc, castagnoli, b)
	}
	if crc != e.CRC {
		return corrupt(e.Key, fmt.Errorf("its CRC32C is %08x, the manifest says %08x", crc, e.CRC))
	}
	o, err := openObject(ctx, s, e)
	if err != nil {
		return err
	}
	for i := range o.table.Blocks {
		if _, err := o.load(ctx, i); err != nil {
			return err
		}
	}
	return nil
}

// note keeps damage, and an object that is missing; others are errors of the store.
func (r *PartitionReport) note(key string, err error) error {
	switch {
	case err == nil || errors.Is(err, context.Canceled):
		return err
	case errors.Is(err, ErrNotFound):
		err = corrupt(key, errors.New("it is not there"))
	case !isDamage(err):
		return err
	}
	r.Damage = append(r.Damage, err)
	return nil
}

// TopicNames are the names of the topics that a node with this directory of its own has archived, by id.
func TopicNames(dir string) map[uuid.UUID]string {
	t := &Tier{o: Options{Dir: dir}}
	names := map[uuid.UUID]string{}
	_ = t.eachKept(func(id uuid.UUID, name string) { names[id] = name }) // names are for people; ids do too
	return names
}
