package optimize

import (
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/structured/logical"
)

// fresh is a copy of a resolved plan whose attributes have ids of their own, so that it can stand beside the original.
func fresh(p logical.Plan) logical.Plan {
	f := &freshener{ids: map[int64]int64{}, works: map[int64]int64{}}
	logical.Walk(p, func(n logical.Plan) bool {
		if r, ok := n.(*logical.Recursion); ok {
			f.works[r.ID] = expr.NewID()
		}
		return true
	})
	return logical.TransformUp(p, f.node)
}

// freshener gives new ids to what nodes make, and follows them in what reads it. Ids of attributes from elsewhere stay.
type freshener struct {
	ids   map[int64]int64
	works map[int64]int64 // recursions that are copied whole
}

func (f *freshener) made(list []*expr.Attr) []*expr.Attr {
	if list == nil {
		return nil
	}
	out := make([]*expr.Attr, len(list))
	for i, a := range list {
		c := *a
		c.ID = expr.NewID()
		f.ids[a.ID] = c.ID
		out[i] = &c
	}
	return out
}

func (f *freshener) read(e expr.Expr) expr.Expr {
	return expr.Transform(e, func(x expr.Expr) expr.Expr {
		switch x := x.(type) {
		case *expr.Attr:
			if id, ok := f.ids[x.ID]; ok {
				c := *x
				c.ID = id
				return &c
			}
		case *expr.Alias:
			id := expr.NewID()
			f.ids[x.ID] = id
			return &expr.Alias{Child: x.Child, Name: x.Name, Names: x.Names, ID: id}
		}
		return x
	})
}

func (f *freshener) node(p logical.Plan) logical.Plan {
	switch n := p.(type) {
	case *logical.Scan:
		c := *n
		c.Attrs = f.made(n.Attrs)
		p = &c
	case *logical.Local:
		return &logical.Local{Schema: n.Schema, Batches: n.Batches, Attrs: f.made(n.Attrs)}
	case *logical.Range:
		c := *n
		c.Attr = f.made([]*expr.Attr{n.Attr})[0]
		return &c
	case *logical.WorkTable:
		return &logical.WorkTable{ID: f.work(n.ID), Name: n.Name, Attrs: f.made(n.Attrs)}
	case *logical.Recursion:
		c := *n
		c.ID, c.Attrs = f.work(n.ID), f.made(n.Attrs)
		return &c
	}
	list := p.Exprs()
	if len(list) > 0 {
		out := make([]expr.Expr, len(list))
		for i, e := range list {
			out[i] = f.read(e)
		}
		p = p.WithExprs(out)
	}
	switch n := p.(type) { // what these make may not be read below them
	case *logical.Union:
		c := *n
		c.Attrs = f.made(n.Attrs)
		return &c
	case *logical.Generate:
		c := *n
		c.Attrs = f.made(n.Attrs)
		return &c
	case *logical.Expand:
		c := *n
		c.Tag = f.made([]*expr.Attr{n.Tag})[0]
		return &c
	case *logical.Window:
		c := *n
		c.Attr = f.made([]*expr.Attr{n.Attr})[0]
		return &c
	}
	return p
}

// work is the number of a recursion in the copy; one that only its work table stands in keeps its own.
func (f *freshener) work(id int64) int64 {
	if n, ok := f.works[id]; ok {
		return n
	}
	return id
}
