package rdd

import (
	"strings"
	"testing"
)

type unregistered struct{ X int }

func (*unregistered) Open(*TaskContext, []Reader) (Reader, error) { return nil, nil }

func leaf(id string) *RDD { return &RDD{ID: id, Name: id, Op: &Apply{Fn: id}, Parts: 2} }

func TestCutStopsAtShufflesAndKeepsTheirOrder(t *testing.T) {
	a, b, c := leaf("a"), leaf("b"), leaf("c")
	narrow := &RDD{ID: "n", Name: "n", Op: &Apply{}, Parts: 2, Deps: []Dep{{Parent: b, Kind: Broadcast}, {Parent: a}}}
	root := &RDD{ID: "r", Name: "r", Op: &Apply{}, Parts: 4, Deps: []Dep{{Parent: narrow, Base: 2}, {Parent: c, Kind: Shuffle}}}
	f, deps, err := Cut(root)
	if err != nil || len(deps) != 2 || deps[0].Parent != b || deps[1].Parent != c {
		t.Fatal(deps, err)
	}
	n, err := f.Decode()
	if err != nil {
		t.Fatal(err)
	}
	in := n.Inputs
	if n.ID != "r" || in[0].Base != 2 || in[0].Node.ID != "n" || in[1].Node != nil || in[1].Shuffle != 1 {
		t.Errorf("%+v", in)
	}
	if kids := in[0].Node.Inputs; kids[0].Node != nil || kids[0].Shuffle != 0 || kids[1].Node.Op.(*Apply).Fn != "a" {
		t.Errorf("%+v", kids)
	}
	again, _, _ := Cut(root)
	if again.Hash != f.Hash {
		t.Error("one graph gave two fragments")
	}
}

func TestAnOperatorWithoutANameIsAnError(t *testing.T) {
	_, _, err := Cut(&RDD{ID: "x", Op: &unregistered{}})
	if err == nil || !strings.Contains(err.Error(), "not registered") {
		t.Error(err)
	}
	if _, err := (&Fragment{Hash: "h", Bytes: []byte("junk")}).Decode(); err == nil {
		t.Error("junk was decoded")
	}
}

func BenchmarkDecodeFragment(b *testing.B) {
	root := leaf("scan")
	for range 4 {
		root = &RDD{ID: "op", Name: "op", Op: &Apply{Fn: "some function"}, Parts: 2, Deps: []Dep{{Parent: root}}}
	}
	f, _, err := Cut(root)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(f.Bytes)))
	for b.Loop() {
		f.Decode()
	}
}
