package physical

import "github.com/streamflow/streamflow/rdd"

// reservation is what an operator holds of its task's memory.
type reservation struct {
	mem  rdd.Memory
	held int64
}

func reserve(tc *rdd.TaskContext) *reservation { return &reservation{mem: tc.Memory} }

// slack is how far a reservation may lag behind what is used, so that it is not asked for at every batch.
const slack = 256 << 10

// to makes the reservation cover bytes; false means that the operator should spill. What it held stays held.
func (r *reservation) to(bytes int64) bool {
	if r.mem == nil || bytes <= r.held {
		return true
	}
	want := bytes + slack - r.held
	if !r.mem.Reserve(want) {
		return false
	}
	r.held += want
	return true
}

// release gives everything back.
func (r *reservation) release() {
	if r.mem != nil && r.held > 0 {
		r.mem.Release(r.held)
	}
	r.held = 0
}
