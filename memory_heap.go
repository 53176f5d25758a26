package streamflow

import (
	"math"
	"os"
	"runtime/debug"
	"sync"
)

// heap is the memory that the nodes of this process may use together. The runtime collects garbage more often when the
// process comes near it; it is a goal, never a reason to fail. GOMEMLIMIT, when set, stands.
var heap struct {
	sync.Mutex
	nodes int
	bytes int64
}

// heapBase is what a node needs besides its queries: code, log, metadata.
const heapBase = 64 << 20

// limitHeap adds a node that may use so many bytes, and returns how to take it off again.
func limitHeap(bytes int64) func() {
	changeHeap(1, bytes+heapBase)
	var once sync.Once
	return func() { once.Do(func() { changeHeap(-1, -bytes-heapBase) }) }
}

func changeHeap(nodes int, bytes int64) {
	heap.Lock()
	defer heap.Unlock()
	heap.nodes += nodes
	heap.bytes += bytes
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	limit := heap.bytes
	if heap.nodes == 0 {
		limit = math.MaxInt64
	}
	debug.SetMemoryLimit(limit)
}
