package record

import "encoding/binary"

// Builder makes batches from records. It is reused: Finish leaves it empty, with its settings kept.
type Builder struct {
	codec    Codec
	attrs    Attr
	producer Producer

	body   []byte // the records, not yet compressed, after room for a header
	count  int
	baseTS int64
	maxTS  int64
}

// NewBuilder returns a builder of batches compressed by c.
func NewBuilder(c Codec) *Builder {
	return &Builder{codec: c, producer: NoProducer, body: make([]byte, HeaderSize, 512)}
}

// SetProducer makes the next batch an idempotent producer's. After each Finish the sequence has moved past its records.
func (b *Builder) SetProducer(p Producer) { b.producer = p }

// SetTransactional makes the next batches part of their producer's transaction.
func (b *Builder) SetTransactional(on bool) {
	b.attrs &^= AttrTransactional
	if on {
		b.attrs |= AttrTransactional
	}
}

// Add appends a record; a nil key or value is Kafka's null. The arguments are copied.
func (b *Builder) Add(timestampMs int64, key, value []byte, headers ...Header) {
	if b.count == 0 {
		b.baseTS, b.maxTS = timestampMs, timestampMs
	}
	b.maxTS = max(b.maxTS, timestampMs)
	tsDelta, offDelta := timestampMs-b.baseTS, int64(b.count)
	size := 1 + varintSize(tsDelta) + varintSize(offDelta) + bytesSize(key) + bytesSize(value) + varintSize(int64(len(headers)))
	for _, h := range headers {
		size += varintSize(int64(len(h.Key))) + len(h.Key) + bytesSize(h.Value)
	}
	out := binary.AppendVarint(b.body, int64(size))
	out = append(out, 0) // record attributes: none are defined
	out = binary.AppendVarint(out, tsDelta)
	out = binary.AppendVarint(out, offDelta)
	out = appendBytes(out, key)
	out = appendBytes(out, value)
	out = binary.AppendVarint(out, int64(len(headers)))
	for _, h := range headers {
		out = binary.AppendVarint(out, int64(len(h.Key)))
		out = append(out, h.Key...)
		out = appendBytes(out, h.Value)
	}
	b.body = out
	b.count++
}

// Count is the number of records added, and Size the bytes that they take before compression, header included.
func (b *Builder) Count() int { return b.count }
func (b *Builder) Size() int  { return len(b.body) }

// Finish returns the batch, with base offset 0, and empties the builder. The batch is the caller's; it is nil if nothing
// was added.
func (b *Builder) Finish() (Batch, error) {
	out, err := b.AppendBatch(nil)
	return Batch(out), err
}

// AppendBatch is Finish into dst.
func (b *Builder) AppendBatch(dst []byte) ([]byte, error) {
	if b.count == 0 {
		return dst, nil
	}
	start := len(dst)
	if b.codec == None {
		dst = append(dst, b.body...)
	} else {
		var err error
		dst = append(dst, b.body[:HeaderSize]...)
		if dst, err = compress(b.codec, dst, b.body[HeaderSize:]); err != nil {
			return nil, err
		}
	}
	seal(Batch(dst[start:]), Meta{
		Attributes: b.attrs | Attr(b.codec), Count: b.count,
		BaseTimestamp: b.baseTS, MaxTimestamp: b.maxTS, Producer: b.producer,
	})
	if b.producer.ID >= 0 {
		b.producer.Sequence = addSequence(b.producer.Sequence, int32(b.count))
	}
	b.body, b.count = b.body[:HeaderSize], 0
	return dst, nil
}

func appendBytes(dst, v []byte) []byte {
	if v == nil {
		return append(dst, 1) // -1 in zigzag
	}
	dst = binary.AppendVarint(dst, int64(len(v)))
	return append(dst, v...)
}

func bytesSize(v []byte) int {
	if v == nil {
		return 1
	}
	return varintSize(int64(len(v))) + len(v)
}

func varintSize(v int64) int {
	u, n := uint64(v)<<1^uint64(v>>63), 1
	for ; u >= 0x80; u >>= 7 {
		n++
	}
	return n
}
