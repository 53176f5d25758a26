package streamlog

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// PlanScan reads everything that is committed now, each topic partition in a partition of its own so that log order is kept.
func (t *Table) PlanScan(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	from, err := t.positions(func(p *logstore.Partition) (int64, error) { return timeOr(p, req.From, p.Offsets().LogStart) })
	if err != nil {
		return nil, err
	}
	to, err := t.positions(func(p *logstore.Partition) (int64, error) { return timeOr(p, req.To, p.Offsets().LastStable) })
	if err != nil {
		return nil, err
	}
	scan := t.scan(req)
	scan.Splits = t.Bind(from, to)
	scan.Note = fmt.Sprintf("offsets %v to %v", from, to)
	cold, err := t.tierNote(ctx, scan.Op.(*TopicScan), from, to)
	scan.Note += cold
	return scan, err
}

// PlanStream reads what each micro-batch binds.
func (t *Table) PlanStream(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	scan := t.scan(req)
	scan.Splits = make([][]rdd.Split, t.parts)
	return scan, nil
}

func (t *Table) scan(req connector.ScanRequest) *connector.Scan {
	return &connector.Scan{
		Op:       &TopicScan{Topic: t.name, Format: t.format, Fields: t.fields, Schema: t.schema, Columns: req.Columns, Filters: req.Filters},
		Residual: req.Filters,
	}
}

// positions asks each partition for an offset.
func (t *Table) positions(of func(*logstore.Partition) (int64, error)) (connector.Offsets, error) {
	out := make(connector.Offsets, t.parts)
	for i := range out {
		p, err := t.env.Broker.Partition(t.name, int32(i))
		if err != nil {
			return nil, err
		}
		if out[i], err = of(p); err != nil {
			return nil, fmt.Errorf("streamlog: %s-%d: %w", t.name, i, err)
		}
	}
	return out, nil
}

// timeOr is the offset of the first record at or after a time (microseconds), or otherwise when there is no bound. A time
// after the last record means the end.
func timeOr(p *logstore.Partition, micros *int64, otherwise int64) (int64, error) {
	if micros == nil {
		return otherwise, nil
	}
	found, err := p.OffsetForTime(ceilDiv(*micros, 1000))
	if err != nil {
		return 0, err
	}
	if found.Offset < 0 {
		return p.Offsets().LastStable, nil
	}
	return found.Offset, nil
}

func ceilDiv(a, b int64) int64 {
	q := a / b
	if a%b > 0 {
		q++
	}
	return q
}

// Begin is where a streaming query starts.
func (t *Table) Begin(ctx context.Context, s connector.Start) (connector.Offsets, error) {
	return t.positions(func(p *logstore.Partition) (int64, error) {
		switch s.Mode {
		case "now":
			return p.Offsets().LastStable, nil
		case "time":
			return timeOr(p, &s.Time, 0)
		default:
			return p.Offsets().LogStart, nil
		}
	})
}

// Available is the committed part of the topic. A sealed topic without open transactions has ended.
func (t *Table) Available(ctx context.Context) (connector.Availability, error) {
	topic, err := t.env.Broker.Topic(t.name)
	if err != nil {
		return connector.Availability{}, err
	}
	a := connector.Availability{End: make(connector.Offsets, t.parts), Ended: topic.Sealed()}
	for i := range a.End {
		p, err := t.env.Broker.Partition(t.name, int32(i))
		if err != nil {
			return a, err
		}
		o := p.Offsets()
		a.End[i] = o.LastStable
		a.Ended = a.Ended && o.LastStable == o.End
	}
	return a, nil
}

// Wait returns when some partition has more than after, or the topic's sealing has changed.
func (t *Table) Wait(ctx context.Context, after connector.Offsets) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	woken := make(chan struct{}, t.parts+1)
	wake := func(c <-chan struct{}) {
		select {
		case <-c:
			woken <- struct{}{}
		case <-ctx.Done():
		}
	}
	// Channels are taken before looking, so that nothing that happens between the look and the wait is missed.
	topics := t.env.Broker.Watch()
	changed := make([]<-chan struct{}, t.parts)
	for i := range changed {
		p, err := t.env.Broker.Partition(t.name, int32(i))
		if err != nil {
			return err
		}
		changed[i] = p.Changed()
	}
	a, err := t.Available(ctx)
	if err != nil || a.Ended || !slices.Equal(a.End, after) {
		return err
	}
	for _, c := range changed {
		go wake(c)
	}
	go wake(topics)
	select {
	case <-woken:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Bind makes one split for each partition that has something in the range.
func (t *Table) Bind(from, to connector.Offsets) [][]rdd.Split {
	out := make([][]rdd.Split, t.parts)
	for p := range out {
		start := int64(0)
		if p < len(from) {
			start = from[p]
		}
		if p < len(to) && to[p] > start {
			out[p] = []rdd.Split{{Data: encodeRange(int32(p), start, to[p]), Rows: to[p] - start, Bytes: t.estimate(p, to[p]-start)}}
		}
	}
	return out
}

// estimatedRows is from where on it is worth knowing how many bytes a range has.
const estimatedRows = 4096

// estimate is about how many bytes a number of a partition's offsets have, by the partition's average; 0 for few.
func (t *Table) estimate(partition int, offsets int64) int64 {
	if offsets < estimatedRows {
		return 0
	}
	p, err := t.env.Broker.Partition(t.name, int32(partition))
	if err != nil {
		return 0 // reading will say so
	}
	o := p.Offsets()
	return int64(float64(p.Size()) * float64(offsets) / float64(max(o.HighWatermark-o.LogStart, offsets)))
}

// A split is a partition and an offset range: version 1, partition int32, from int64, to int64, big endian.
func encodeRange(partition int32, from, to int64) []byte {
	b := append(make([]byte, 0, 21), 1)
	b = binary.BigEndian.AppendUint32(b, uint32(partition))
	b = binary.BigEndian.AppendUint64(b, uint64(from))
	return binary.BigEndian.AppendUint64(b, uint64(to))
}

func decodeRange(b []byte) (partition int32, from, to int64, err error) {
	if len(b) != 21 || b[0] != 1 {
		return 0, 0, 0, fmt.Errorf("streamlog: a split of %d bytes is not an offset range of version 1", len(b))
	}
	be := binary.BigEndian
	return int32(be.Uint32(b[1:])), int64(be.Uint64(b[5:])), int64(be.Uint64(b[13:])), nil
}
