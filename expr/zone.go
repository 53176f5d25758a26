package expr

import (
	"time"

	"github.com/streamflow/streamflow/column"
)

// zoneCache remembers the offset of the stretch of time between two changes of clocks that the last instant lay in:
// rows close in time cost a comparison instead of a search.
type zoneCache struct {
	loc      *time.Location
	from, to int64 // instants with this offset: from <= us < to
	offset   int64
}

// local is the wall-clock reading of an instant.
func (z *zoneCache) local(us int64, loc *time.Location) int64 {
	if loc == time.UTC {
		return us
	}
	if z.loc != loc || us < z.from || us >= z.to {
		z.find(us, loc)
	}
	return us + z.offset
}

func (z *zoneCache) find(us int64, loc *time.Location) {
	t := time.UnixMicro(us).In(loc)
	start, end := t.ZoneBounds()
	_, offset := t.Zone()
	z.loc, z.offset = loc, int64(offset)*microsSecond
	z.from, z.to = -1<<63, 1<<63-1
	if !start.IsZero() {
		z.from = start.UnixMicro()
	}
	if !end.IsZero() {
		z.to = end.UnixMicro()
	}
}

// readings are wall-clock readings of a date or timestamp vector, in microseconds.
type readings struct {
	zone zoneCache
	buf  []int64
}

func (r *readings) of(k *kctx, v *column.Vector) []int64 {
	loc := k.ctx.location()
	if v.Type.Kind == column.TimestampNTZ || v.Type.Kind == column.Time || v.Type.Kind == column.Timestamp && loc == time.UTC {
		return v.I64[:k.n]
	}
	r.buf = resize(r.buf, k.n)
	if v.Type.Kind == column.Date {
		for i, d := range v.I32[:k.n] {
			r.buf[i] = int64(d) * microsDay
		}
		return r.buf
	}
	for i, us := range v.I64[:k.n] {
		r.buf[i] = r.zone.local(us, loc)
	}
	return r.buf
}
