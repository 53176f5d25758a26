package executor

import "testing"

func TestATaskAloneMayHaveAllAndSharesWhenOthersCome(t *testing.T) {
	p := newPool(100, 2) // 25 for each slot for certain, 50 shared
	p.active.Add(1)
	a := &taskMemory{pool: p}
	if !a.Reserve(75) {
		t.Fatal("refused although alone")
	}
	if a.Reserve(1) {
		t.Fatal("it took what is certain for the other slot")
	}
	p.active.Add(1)
	b := &taskMemory{pool: p}
	if !b.Reserve(25) || b.Reserve(1) {
		t.Error("the late-comer has its certain part, and no more while the other holds all of the shared one")
	}
	a.Release(60)
	if !a.Reserve(5) || !b.Reserve(20) || b.Reserve(10) {
		t.Error("a share is half of the limit")
	}
	a.close()
	b.close()
	if p.used() != 0 {
		t.Error("something is still reserved")
	}
}

func TestOutputsThatOutliveTasksLeaveTasksTheirPart(t *testing.T) {
	p := newPool(100, 2)
	if !p.Reserve(50) || p.Reserve(1) {
		t.Fatal("outputs may have the shared half")
	}
	p.active.Add(2)
	a, b := &taskMemory{pool: p}, &taskMemory{pool: p}
	if !a.Reserve(25) || !b.Reserve(25) || a.Reserve(1) {
		t.Error("each task has its part, and no more")
	}
	if p.used() != 100 {
		t.Errorf("%d of 100 used", p.used())
	}
	a.close()
	b.close()
	p.Release(50)
	defer func() {
		if recover() == nil {
			t.Error("released more than was reserved, and nobody noticed")
		}
	}()
	p.Release(1)
}
