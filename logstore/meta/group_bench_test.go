package meta

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
)

// BenchmarkGroupApply is what a command costs on three nodes of one machine, all of whose disks are the same one.
func BenchmarkGroupApply(b *testing.B) {
	c := newCluster(b, 3, nil)
	lead := c.leader()
	for _, on := range []*member{lead, c.follower()} {
		name := "follower"
		if on == lead {
			name = "leader"
		}
		for _, callers := range []int{1, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", name, callers), func(b *testing.B) {
				var next atomic.Int64
				b.SetParallelism(callers)
				one := func() {
					if _, err := on.Apply(context.Background(), "counter", fmt.Appendf(nil, "%s %d %d", name, callers, next.Add(1))); err != nil {
						b.Error(err)
					}
				}
				if callers == 1 {
					for b.Loop() {
						one()
					}
					return
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						one()
					}
				})
			})
		}
	}
	b.Run("barrier", func(b *testing.B) {
		f := c.follower()
		for b.Loop() {
			if err := f.Barrier(context.Background()); err != nil {
				b.Error(err)
			}
		}
	})
}
