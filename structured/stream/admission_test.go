package stream

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAdmission runs batches side by side and looks at how much of them is under way at any time.
func TestAdmission(t *testing.T) {
	const unit = smallBatch
	a := &Admission{Limit: 4 * unit}
	var now, most, held atomic.Int64
	var wg sync.WaitGroup
	for i := range 40 {
		bytes := int64(i%6+1) * unit // some want more than there is
		wg.Go(func() {
			leave, err := a.Enter(context.Background(), bytes, func() { held.Add(1) })
			if err != nil {
				t.Error(err)
				return
			}
			n := now.Add(min(bytes, a.Limit))
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
			now.Add(-min(bytes, a.Limit))
			leave()
		})
	}
	wg.Wait()
	if most.Load() > a.Limit || a.used != 0 || len(a.waiting) != 0 {
		t.Errorf("%d bytes at the same time of %d; %d are left", most.Load(), a.Limit, a.used)
	}
	leave, _ := a.Enter(context.Background(), a.Limit, func() {})
	small, err := a.Enter(context.Background(), unit-1, func() { t.Error("a small batch waits") })
	if err != nil {
		t.Fatal(err)
	}
	small()
	ctx, cancel := context.WithCancel(context.Background())
	if _, err := a.Enter(ctx, unit, cancel); err == nil {
		t.Error("a batch was admitted beyond the limit")
	}
	leave()
	if a.used != 0 || len(a.waiting) != 0 {
		t.Errorf("%d bytes and %d turns are left", a.used, len(a.waiting))
	}
}
