package broker

import (
	"context"
	"fmt"
	"strconv"
	"sync"
)

// producerIDs is the block that ids are handed out from.
type producerIDs struct {
	mu         sync.Mutex
	next, last int64 // [next, last) are free
}

// NextProducerID returns a producer id that nobody else has or had.
func (b *Broker) NextProducerID(ctx context.Context) (int64, error) {
	b.ids.mu.Lock()
	defer b.ids.mu.Unlock()
	if b.ids.next == b.ids.last {
		out, err := b.apply(ctx, b.producers, producerCommand{Reserve: producerBlock})
		if err != nil {
			return 0, fmt.Errorf("broker: reserve producer ids: %w", err)
		}
		first, err := strconv.ParseInt(string(out), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("broker: reserve producer ids: %w", err)
		}
		b.ids.next, b.ids.last = first, first+producerBlock
	}
	id := b.ids.next
	b.ids.next++
	return id, nil
}
