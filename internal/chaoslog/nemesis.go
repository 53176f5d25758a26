package chaoslog

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Fault is one thing that is done to a cluster, and undone.
type Fault struct {
	Name string
	// Do does it and returns how to undo it. It says in the history what it has done.
	Do func(ctx context.Context, w *world) (undo func(context.Context) error, err error)
	// Links and Disk are what it needs.
	Links, Disk bool
	// Many is true when it needs more than one node.
	Many bool
}

// world is what faults work on.
type world struct {
	c   *Cluster
	h   *History
	rng *rand.Rand
}

func (w *world) node() *Node { return w.c.Nodes[w.rng.IntN(len(w.c.Nodes))] }

// Faults are all that a run can do.
func Faults() []Fault {
	return []Fault{
		{Name: "kill", Do: kill},
		{Name: "kill-torn", Do: killTorn},
		{Name: "kill-all", Do: killAll},
		{Name: "stop", Do: stop},
		{Name: "pause", Do: pause},
		{Name: "cut", Do: cut, Links: true, Many: true},
		{Name: "cut-one-way", Do: cutOneWay, Links: true, Many: true},
		{Name: "isolate", Do: isolate, Links: true, Many: true},
		{Name: "slow", Do: slow, Links: true, Many: true},
		{Name: "full-disk", Do: fullDisk, Disk: true},
	}
}

// pick is the faults that this cluster can have, and that are wanted; no wish wants all.
func pick(all []Fault, wanted []string, c *Cluster, disk bool) []Fault {
	var list []Fault
	for _, f := range all {
		fits := (!f.Links || c.net.links()) && (!f.Disk || disk) && (!f.Many || len(c.Nodes) > 1)
		if fits && (len(wanted) == 0 || slices.Contains(wanted, f.Name)) {
			list = append(list, f)
		}
	}
	return list
}

// torment does faults, one after another and sometimes two at once, until ctx ends; then everything is undone.
func torment(ctx context.Context, w *world, faults []Fault) error {
	var undo []func(context.Context) error
	heal := func() error {
		healing, cancel := context.WithTimeout(context.WithoutCancel(ctx), 90*time.Second)
		defer cancel()
		err := undoAll(healing, undo)
		undo = nil
		return err
	}
	for sleep(ctx, w.between(500, 2500)) {
		for range 1 + w.rng.IntN(4)/3 {
			f := faults[w.rng.IntN(len(faults))]
			u, err := f.Do(ctx, w)
			if err != nil {
				return fmt.Errorf("%s: %w", f.Name, err)
			}
			undo = append(undo, u)
			sleep(ctx, w.between(0, 400))
		}
		sleep(ctx, w.between(200, 6000))
		if err := heal(); err != nil {
			return err
		}
	}
	return heal()
}

// undoAll undoes faults, all at once, for a node may not be ready before another is back. What cannot be undone before another (a
// node does not start while its disk is full) is tried again after all others.
func undoAll(ctx context.Context, undo []func(context.Context) error) error {
	errs := make([]error, len(undo))
	var wg sync.WaitGroup
	for i, u := range undo {
		wg.Go(func() { errs[i] = u(ctx) })
	}
	wg.Wait()
	for i, u := range undo {
		if errs[i] != nil {
			errs[i] = u(ctx)
		}
	}
	return errors.Join(errs...)
}

func (w *world) between(from, to int) time.Duration {
	return time.Duration(from+w.rng.IntN(to-from)) * time.Millisecond
}

// sleep returns false when ctx ended first.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

func kill(_ context.Context, w *world) (func(context.Context) error, error) {
	n := w.node()
	w.h.AddFault("kill -9 node %d", n.ID)
	n.Kill()
	return n.Start, nil
}

func killTorn(_ context.Context, w *world) (func(context.Context) error, error) {
	n := w.node()
	w.h.AddFault("kill -9 node %d, its last write torn", n.ID)
	n.Kill()
	return n.Start, tear(n, w.rng)
}

func killAll(_ context.Context, w *world) (func(context.Context) error, error) {
	w.h.AddFault("kill -9 all nodes")
	for _, n := range w.c.Nodes {
		n.Kill()
	}
	return w.c.Start, nil
}

func stop(_ context.Context, w *world) (func(context.Context) error, error) {
	n := w.node()
	w.h.AddFault("stop node %d", n.ID)
	n.Stop()
	return n.Start, nil
}

func pause(_ context.Context, w *world) (func(context.Context) error, error) {
	n := w.node()
	w.h.AddFault("pause node %d", n.ID)
	n.Pause()
	return func(context.Context) error { n.Continue(); return nil }, nil
}

func (w *world) two() (int, int) {
	a := w.rng.IntN(len(w.c.Nodes))
	return a, (a + 1 + w.rng.IntN(len(w.c.Nodes)-1)) % len(w.c.Nodes)
}

func (w *world) healLinks(context.Context) error { return w.c.net.heal() }

func cut(_ context.Context, w *world) (func(context.Context) error, error) {
	a, b := w.two()
	w.h.AddFault("cut the link between nodes %d and %d", a+1, b+1)
	if err := w.c.net.cut(a, b); err != nil {
		return nil, err
	}
	return w.healLinks, w.c.net.cut(b, a)
}

func cutOneWay(_ context.Context, w *world) (func(context.Context) error, error) {
	a, b := w.two()
	w.h.AddFault("drop what node %d sends to node %d", a+1, b+1)
	return w.healLinks, w.c.net.cut(a, b)
}

func isolate(_ context.Context, w *world) (func(context.Context) error, error) {
	a := w.rng.IntN(len(w.c.Nodes))
	w.h.AddFault("isolate node %d from nodes and clients", a+1)
	return w.healLinks, w.c.net.isolate(a)
}

func slow(_ context.Context, w *world) (func(context.Context) error, error) {
	a := w.rng.IntN(len(w.c.Nodes))
	w.h.AddFault("slow down what node %d sends", a+1)
	return w.healLinks, w.c.net.slow(a)
}

func fullDisk(_ context.Context, w *world) (func(context.Context) error, error) {
	n := w.node()
	w.h.AddFault("fill the disk of node %d", n.ID)
	undo := func(ctx context.Context) error {
		if err := emptyDisk(n); err != nil {
			return err
		}
		return n.Start(ctx) // a node may end itself when metadata cannot be written
	}
	return undo, fillDisk(n)
}
