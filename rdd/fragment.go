package rdd

import (
	"encoding/hex"
	"fmt"

	"github.com/zeebo/xxh3"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/codec"
)

// Fragment is the work of one stage as data: its operators, encoded once and named by the hash of the bytes. An executor
// keeps fragments by hash and decodes one operator tree for each task that runs at the same time.
type Fragment struct {
	Hash  string
	Bytes []byte
}

// Node is an operator of a fragment. The fragment's root is the stage's last operator.
type Node struct {
	ID     string
	Name   string
	Op     Operator
	Inputs []Input
	Parts  int
}

// Input is where an operator's rows come from: another operator in the same task (Node), or the map output that the task's
// Inputs[Shuffle] names.
type Input struct {
	Node    *Node
	Base    int // see Narrow
	Shuffle int
	Schema  *column.Schema // of the shuffled rows
}

func init() { codec.Register("rdd.Node", (*Node)(nil)) }

// Cut makes the fragment of the stage that ends in root. It follows narrow dependencies and stops at the others, which it
// returns in the order of the fragment's shuffle inputs.
func Cut(root *RDD) (*Fragment, []Dep, error) {
	var c cutter
	n := c.node(root)
	f, err := NewFragment(n)
	return f, c.deps, err
}

// Borders are the dependencies of the stage that ends in root, in the order of its shuffle inputs.
func Borders(root *RDD) (deps []Dep) {
	for _, d := range root.Deps {
		if d.Kind == Narrow {
			deps = append(deps, Borders(d.Parent)...)
		} else {
			deps = append(deps, d)
		}
	}
	return deps
}

type cutter struct{ deps []Dep }

func (c *cutter) node(r *RDD) *Node {
	n := &Node{ID: r.ID, Name: r.Name, Op: r.Op, Parts: r.Parts, Inputs: make([]Input, len(r.Deps))}
	for i, d := range r.Deps {
		if d.Kind == Narrow {
			n.Inputs[i] = Input{Node: c.node(d.Parent), Base: d.Base}
			continue
		}
		n.Inputs[i] = Input{Shuffle: len(c.deps), Schema: d.Parent.Schema}
		c.deps = append(c.deps, d)
	}
	return n
}

// NewFragment encodes a tree of operators.
func NewFragment(root *Node) (f *Fragment, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("rdd: fragment of %s: %v", root.ID, r)
		}
	}()
	b := codec.Encode(root)
	sum := xxh3.Hash128(b).Bytes()
	return &Fragment{Hash: hex.EncodeToString(sum[:]), Bytes: b}, nil
}

// Decode returns the operators of the fragment, fresh ones at each call.
func (f *Fragment) Decode() (*Node, error) {
	v, err := codec.Decode(f.Bytes)
	if err != nil {
		return nil, fmt.Errorf("rdd: fragment %s: %w", f.Hash, err)
	}
	n, ok := v.(*Node)
	if !ok {
		return nil, fmt.Errorf("rdd: fragment %s holds a %T", f.Hash, v)
	}
	return n, nil
}
