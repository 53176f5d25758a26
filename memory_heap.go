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

// heapGoal is what the runtime is asked to stay within, so that a process of a node with so many bytes stays resident in no more: what
// the runtime does not count (the program's own pages, 40 MiB) and what it goes over while it collects (a sixteenth) are left out. A node
// needs a heap of 64 MiB besides its queries, so that little memory is gone beyond.
func heapGoal(bytes int64) int64 { return max(bytes-40<<20-bytes/16, bytes/2+64<<20) }

// limitHeap adds a node that may use so many bytes, and returns how to take it off again.
func limitHeap(bytes int64) func() {
	goal := heapGoal(bytes)
	changeHeap(1, goal)
	var once sync.Once
	return func() { once.Do(func() { changeHeap(-1, -goal) }) }
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
