package kafka

import (
	"encoding/binary"
	"fmt"
	"net"

	"github.com/streamflow/streamflow/logstore"
	"github.com/streamflow/streamflow/logstore/broker"
)

// fetchWriter encodes one response.
type fetchWriter struct {
	encoder
	f       *fetchCall
	cuts    []int // where in buf each partition's records go
	leaders []leader
}

// told are the partitions that the response is about: all, or over a session those with something new.
func (f *fetchCall) told() []*fetchPart {
	if f.mode != fetchGoesOn {
		return f.set.hot // nothing has cooled or been forgotten yet: all, in the order asked for
	}
	out := f.set.out[:0]
	for _, p := range f.set.hot {
		if p.err != nil || p.size() > 0 || p.diverging != nil || p.untold() {
			out = append(out, p)
		}
	}
	f.set.out = out
	return out
}

// write sends the response as header segments with the records between them, uncopied.
func (f *fetchCall) write(corr int32) error {
	told := f.told()
	if f.mode == fetchBegins {
		f.begin()
	}
	w := fetchWriter{f: f, cuts: make([]int, 0, len(told))}
	w.header(corr, nil)
	w.count(topicRuns(told))
	for len(told) > 0 {
		n := topicRun(told)
		w.topic(told[:n])
		told = told[n:]
	}
	w.endpointsTag(f.c.endpointsOf(w.leaders))
	if err := w.send(f.toldAgain()); err != nil {
		return err
	}
	if f.session != nil {
		f.remember()
	}
	return nil
}

// toldAgain is what told returned.
func (f *fetchCall) toldAgain() []*fetchPart {
	if f.mode != fetchGoesOn {
		return f.set.hot
	}
	return f.set.out
}

// remember notes what the session's client knows now.
func (f *fetchCall) remember() {
	for _, p := range f.toldAgain() {
		if p.err == nil {
			p.toldHigh, p.toldStart = p.res.HighWatermark, p.res.LogStart
		} else {
			p.toldHigh, p.toldStart = -1, -1
		}
	}
	f.set.settle(f.committed)
}

// writeError answers a request whose session cannot be used.
func (f *fetchCall) writeError(corr int32, err error) error {
	w := fetchWriter{f: f}
	w.header(corr, err)
	w.count(0)
	w.tags()
	return w.send(nil)
}

func (w *fetchWriter) header(corr int32, err error) {
	v := w.f.req.Version
	w.flexible = v >= 12
	w.buf = startResponse(w.f.c.out[:0], corr, w.flexible)
	w.int32(w.f.throttle)
	if v < 7 {
		return
	}
	w.int16(code(err))
	if w.f.session != nil && w.f.mode != fetchAlone {
		w.int32(w.f.session.id)
	} else {
		w.int32(0)
	}
}

// topicRun is how many of parts follow each other with the first one's topic; topicRuns is how many such runs there are.
func topicRun(parts []*fetchPart) int {
	for i, p := range parts {
		if p.name != parts[0].name || p.id != parts[0].id {
			return i
		}
	}
	return len(parts)
}

func topicRuns(parts []*fetchPart) (n int) {
	for len(parts) > 0 {
		parts = parts[topicRun(parts):]
		n++
	}
	return n
}

func (w *fetchWriter) topic(parts []*fetchPart) {
	if w.f.req.Version >= 13 {
		w.buf = append(w.buf, parts[0].id[:]...)
	} else {
		w.string(parts[0].name)
	}
	w.count(len(parts))
	for _, p := range parts {
		w.part(p)
		w.cuts = append(w.cuts, len(w.buf))
		w.partTags(p)
	}
	w.tags()
}

func (w *fetchWriter) part(p *fetchPart) {
	v := w.f.req.Version
	res := p.res
	if p.err != nil {
		if w.f.follower == nil { // a follower may have to begin anew where the log begins
			res.LogStart = -1
		}
		res.HighWatermark, res.LastStable = -1, -1
		p.res.Release()
		p.data = nil
	}
	w.int32(p.partition)
	w.int16(code(p.err))
	w.int64(res.HighWatermark)
	w.int64(res.LastStable)
	if v >= 5 {
		w.int64(res.LogStart)
	}
	w.aborted(p, res.Aborted)
	if v >= 11 {
		w.int32(-1) // preferred read replica
	}
	w.bytesLen(p.size())
}

func (w *fetchWriter) aborted(p *fetchPart, all []logstore.AbortedTxn) {
	if !w.f.committed || p.err != nil {
		w.nullCount()
		return
	}
	w.count(len(all))
	for _, a := range all {
		w.int64(a.ProducerID)
		w.int64(a.FirstOffset)
		w.tags()
	}
}

// partTags writes the tag section that ends a partition: where its log left the client's, and who leads it.
func (w *fetchWriter) partTags(p *fetchPart) {
	if p.err == nil && p.diverging == nil {
		w.tags()
		return
	}
	var lead leader
	wrong := false
	if w.f.req.Version >= 16 && p.topic != nil {
		lead, wrong = w.f.c.leaderIfWrong(code(p.err), p.topic.Name, p.partition)
	}
	switch {
	case w.flexible && p.diverging != nil:
		w.buf = append(w.buf, 1, 0, 13) // one tag: 0, of 13 bytes
		w.int32(p.diverging.Epoch)
		w.int64(p.diverging.End)
		w.tags()
	case wrong:
		w.buf = append(w.buf, 1)
		w.leaderTag(1, lead)
		w.leaders = append(w.leaders, lead)
	default:
		w.tags()
	}
}

// send writes header segments and records alternately, with one system call for all up to the next range of a file, which the
// kernel sends by itself.
func (w *fetchWriter) send(parts []*fetchPart) error {
	size := len(w.buf) - 4
	for _, p := range parts {
		size += p.size()
	}
	binary.BigEndian.PutUint32(w.buf, uint32(size))
	err := w.sendAll(parts)
	if cap(w.buf) <= maxKeptOut {
		w.f.c.out = w.buf[:0]
	}
	return err
}

func (w *fetchWriter) sendAll(parts []*fetchPart) error {
	vec := make(net.Buffers, 0, 2*len(w.cuts)+1)
	at := 0
	for i, p := range parts {
		if p.size() == 0 {
			continue
		}
		vec = append(vec, w.buf[at:w.cuts[i]])
		at = w.cuts[i]
		if p.res.Range == nil {
			vec = append(vec, p.data)
			continue
		}
		if _, err := vec.WriteTo(w.f.c.nc); err != nil {
			return err
		}
		if err := sendRange(w.f.c.nc, p.res.Range); err != nil {
			return err
		}
		vec = vec[:0]
	}
	vec = append(vec, w.buf[at:])
	_, err := vec.WriteTo(w.f.c.nc)
	return err
}

// arrowToRows converts the Arrow batches among batches to JSON records; others are kept as they are.
func (s *Server) arrowToRows(topic *broker.Topic, batches []byte) ([]byte, error) {
	var out []byte
	for len(batches) > 0 {
		if len(batches) < batchHeaderBytes {
			return nil, fmt.Errorf("%w: %d bytes after the last batch", logstore.ErrCorruptMessage, len(batches))
		}
		n := 12 + int(binary.BigEndian.Uint32(batches[8:]))
		if n < batchHeaderBytes || n > len(batches) {
			return nil, fmt.Errorf("%w: length %d", logstore.ErrCorruptMessage, n)
		}
		batch := batches[:n]
		batches = batches[n:]
		if binary.BigEndian.Uint16(batch[attrOffset:])&attrArrow == 0 {
			out = append(out, batch...)
			continue
		}
		if s.opts.Rows == nil {
			return nil, fmt.Errorf("kafka: topic %s holds Arrow batches, and this server has no converter", topic.Name)
		}
		var err error
		if out, err = s.opts.Rows.ConvertArrow(out, topic, batch); err != nil {
			return nil, fmt.Errorf("kafka: convert %s@%d: %w", topic.Name, int64(binary.BigEndian.Uint64(batch)), err)
		}
	}
	return out, nil
}
