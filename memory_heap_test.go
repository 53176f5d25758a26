package streamflow

import "testing"

// What the runtime may take grows with the limit, and leaves room for what it does not count unless there is next to nothing.
func TestHeapGoal(t *testing.T) {
	last := int64(0)
	for mib := int64(1); mib <= 1<<16; mib *= 2 {
		goal := heapGoal(mib << 20)
		if goal <= last {
			t.Errorf("%d MiB: a goal of %d MiB, not more than of half of it", mib, goal>>20)
		}
		if mib >= 512 && goal > mib<<20-mib<<16-40<<20 {
			t.Errorf("%d MiB: a goal of %d MiB leaves no room", mib, goal>>20)
		}
		last = goal
	}
	if got := heapGoal(2 << 30); got>>20 != 1880 {
		t.Errorf("2 GiB: %d MiB", got>>20)
	}
}
