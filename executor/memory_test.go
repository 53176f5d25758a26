package executor

import "testing"

func TestATaskAloneMayHaveAllAndSharesWhenOthersCome(t *testing.T) {
	p := &pool{limit: 100}
	p.active.Add(1)
	a := &taskMemory{pool: p}
	if !a.Reserve(90) {
		t.Fatal("refused although alone")
	}
	p.active.Add(1)
	b := &taskMemory{pool: p}
	if b.Reserve(20) {
		t.Error("more was given than there is")
	}
	if a.Reserve(1) {
		t.Error("the greedy task got more than its share")
	}
	a.Release(60)
	if !b.Reserve(20) || !b.Reserve(30) || b.Reserve(1) {
		t.Error("a share is half of the limit")
	}
	a.close()
	b.close()
	if p.used.Load() != 0 {
		t.Error("something is still reserved")
	}
}

func TestOutputsThatOutliveTasksCountToo(t *testing.T) {
	p := &pool{limit: 100}
	if !p.Reserve(100) || p.Reserve(1) {
		t.Error("the limit does not hold")
	}
	p.Release(100)
	defer func() {
		if recover() == nil {
			t.Error("released more than was reserved, and nobody noticed")
		}
	}()
	p.Release(1)
}
