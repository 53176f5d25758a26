package parquet

import (
	"fmt"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/streamflow/streamflow/column"
)

// node is a column or a part of one, with the levels at which it is present.
type node struct {
	typ      column.Type
	def, rep int16 // levels at which a value of the node exists; for a list, of the list itself
	optional bool
	leaf     int // primitive: number of the file's column
	phys     pq.Type
	length   int    // of fixed-length byte arrays
	unit     int64  // timestamps: how many of the file's units are a microsecond, negative for its inverse
	unsigned bool   // 32-bit unsigned integers
	kids     []node // struct members; list element; map key and value
	elemDef  int16  // list, map: level at which an element exists

	metaFirst bool // variant: the metadata is the first of the two members
}

// flat reports whether the node is a primitive at the top level.
func (n *node) flat() bool { return len(n.kids) == 0 && n.rep == 0 && n.def <= 1 && !n.group() }

// group reports whether the node has leaves below it: nested types, and a variant's value and metadata.
func (n *node) group() bool { return n.typ.IsNested() || n.typ.Kind == column.Variant }

// firstLeaf is a leaf below the node.
func (n *node) firstLeaf() int {
	for n.group() && len(n.kids) > 0 {
		n = &n.kids[0]
	}
	return n.leaf
}

func (n *node) leaves(to []*node) []*node {
	if !n.group() {
		return append(to, n)
	}
	for i := range n.kids {
		to = n.kids[i].leaves(to)
	}
	return to
}

// schemaOf reads the file's schema into nodes.
func schemaOf(s *schema.Schema) ([]node, *column.Schema, error) {
	root := s.Root()
	nodes := make([]node, root.NumFields())
	out := &column.Schema{}
	b := nodeBuilder{schema: s}
	for i := range nodes {
		f := root.Field(i)
		n, err := b.node(f, 0, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("parquet: column %q: %w", f.Name(), err)
		}
		nodes[i] = n
		out.Fields = append(out.Fields, column.Field{Name: f.Name(), Type: n.typ, Nullable: n.optional})
	}
	return nodes, out, nil
}

type nodeBuilder struct {
	schema *schema.Schema
	leaf   int
}

func (b *nodeBuilder) node(n schema.Node, def, rep int16) (node, error) {
	switch n.RepetitionType() {
	case pq.Repetitions.Optional:
		out, err := b.present(n, def+1, rep)
		out.optional = true
		return out, err
	case pq.Repetitions.Repeated:
		// A repeated field outside of a LIST group is a required list of required elements.
		elem, err := b.present(n, def+1, rep+1)
		out := node{typ: column.ListOf(elem.typ, false), def: def, rep: rep + 1, kids: []node{elem}, elemDef: def + 1}
		return out, err
	}
	return b.present(n, def, rep)
}

// present is the node given that it exists at the levels.
func (b *nodeBuilder) present(n schema.Node, def, rep int16) (node, error) {
	g, ok := n.(*schema.GroupNode)
	if !ok {
		return b.primitive(n.(*schema.PrimitiveNode), def, rep)
	}
	switch {
	case isList(g):
		return b.list(g, def, rep)
	case isMap(g):
		return b.mapping(g, def, rep)
	}
	out := node{typ: column.Type{Kind: column.Struct}, def: def, rep: rep}
	for i := range g.NumFields() {
		k, err := b.node(g.Field(i), def, rep)
		if err != nil {
			return out, err
		}
		out.kids = append(out.kids, k)
		out.typ.Fields = append(out.typ.Fields, column.Field{Name: g.Field(i).Name(), Type: k.typ, Nullable: k.optional})
	}
	return out, nil
}

func isList(g *schema.GroupNode) bool {
	_, logical := g.LogicalType().(schema.ListLogicalType)
	if !logical {
		_, logical = g.LogicalType().(*schema.ListLogicalType)
	}
	return logical && g.NumFields() == 1 && g.Field(0).RepetitionType() == pq.Repetitions.Repeated
}

func isMap(g *schema.GroupNode) bool {
	_, logical := g.LogicalType().(schema.MapLogicalType)
	if !logical {
		_, logical = g.LogicalType().(*schema.MapLogicalType)
	}
	if !logical || g.NumFields() != 1 || g.Field(0).RepetitionType() != pq.Repetitions.Repeated {
		return false
	}
	kv, ok := g.Field(0).(*schema.GroupNode)
	return ok && kv.NumFields() == 2
}

// list reads the three-level form, and the older two-level one whose repeated field is the element itself.
func (b *nodeBuilder) list(g *schema.GroupNode, def, rep int16) (node, error) {
	mid := g.Field(0)
	out := node{def: def, rep: rep + 1, elemDef: def + 1}
	var elem node
	var err error
	if m, ok := mid.(*schema.GroupNode); ok && m.NumFields() == 1 && m.Name() != "array" && m.Name() != g.Name()+"_tuple" {
		elem, err = b.node(m.Field(0), def+1, rep+1)
	} else {
		elem, err = b.present(mid, def+1, rep+1)
	}
	out.kids = []node{elem}
	out.typ = column.ListOf(elem.typ, elem.optional)
	return out, err
}

func (b *nodeBuilder) mapping(g *schema.GroupNode, def, rep int16) (node, error) {
	kv := g.Field(0).(*schema.GroupNode)
	out := node{def: def, rep: rep + 1, elemDef: def + 1}
	key, err := b.node(kv.Field(0), def+1, rep+1)
	if err != nil {
		return out, err
	}
	value, err := b.node(kv.Field(1), def+1, rep+1)
	out.kids = []node{key, value}
	out.typ = column.MapOf(key.typ, value.typ, value.optional)
	return out, err
}

func (b *nodeBuilder) primitive(p *schema.PrimitiveNode, def, rep int16) (node, error) {
	out := node{def: def, rep: rep, leaf: b.leaf, phys: p.PhysicalType(), length: p.TypeLength(), unit: 1}
	b.leaf++
	out.typ = physicalType(p.PhysicalType())
	err := out.applyLogical(p.LogicalType())
	return out, err
}

func physicalType(t pq.Type) column.Type {
	switch t {
	case pq.Types.Boolean:
		return column.Of(column.Bool)
	case pq.Types.Int32:
		return column.Of(column.Int32)
	case pq.Types.Int64:
		return column.Of(column.Int64)
	case pq.Types.Int96:
		return column.Of(column.Timestamp)
	case pq.Types.Float:
		return column.Of(column.Float32)
	case pq.Types.Double:
		return column.Of(column.Float64)
	}
	return column.Of(column.Binary)
}

// applyLogical refines the type that the physical one suggests.
func (n *node) applyLogical(l schema.LogicalType) error {
	switch l := l.(type) {
	case schema.StringLogicalType, *schema.StringLogicalType, schema.EnumLogicalType, *schema.EnumLogicalType, schema.JSONLogicalType, *schema.JSONLogicalType:
		n.typ = column.Of(column.String)
	case schema.DateLogicalType, *schema.DateLogicalType:
		n.typ = column.Of(column.Date)
	case schema.NullLogicalType, *schema.NullLogicalType, schema.UnknownLogicalType, *schema.UnknownLogicalType:
	case *schema.DecimalLogicalType:
		return n.decimal(l.Precision(), l.Scale())
	case schema.DecimalLogicalType:
		return n.decimal(l.Precision(), l.Scale())
	case *schema.IntLogicalType:
		n.integer(l.BitWidth(), l.IsSigned())
	case schema.IntLogicalType:
		n.integer(l.BitWidth(), l.IsSigned())
	case *schema.TimestampLogicalType:
		n.timestamp(l.IsAdjustedToUTC(), l.TimeUnit())
	case schema.TimestampLogicalType:
		n.timestamp(l.IsAdjustedToUTC(), l.TimeUnit())
	case *schema.TimeLogicalType:
		n.time(l.TimeUnit())
	case schema.TimeLogicalType:
		n.time(l.TimeUnit())
	}
	return nil
}

func (n *node) decimal(precision, scale int32) error {
	if precision < 1 || precision > column.MaxPrecision || scale < 0 || scale > precision {
		return fmt.Errorf("decimal(%d,%d) is wider than %d digits", precision, scale, column.MaxPrecision)
	}
	n.typ = column.DecimalOf(int(precision), int(scale))
	return nil
}

func (n *node) integer(width int8, signed bool) {
	switch {
	case width == 8 && signed:
		n.typ = column.Of(column.Int8)
	case width == 16 && signed, width == 8:
		n.typ = column.Of(column.Int16)
	case width == 32 && !signed:
		n.typ, n.unsigned = column.Of(column.Int64), true
	case width == 64 && !signed:
		n.typ, n.unsigned = column.DecimalOf(20, 0), true
	}
}

// time is a time of day; the file's milliseconds, in 32 bits, are left as numbers.
func (n *node) time(unit schema.TimeUnitType) {
	if n.phys != pq.Types.Int64 {
		return
	}
	n.typ = column.TimeOf(column.MaxTimePrecision)
	if unit == schema.TimeUnitNanos {
		n.unit = 1000
	}
}

func (n *node) timestamp(utc bool, unit schema.TimeUnitType) {
	n.typ = column.Of(column.TimestampNTZ)
	if utc {
		n.typ = column.Of(column.Timestamp)
	}
	switch unit {
	case schema.TimeUnitMillis:
		n.unit = -1000
	case schema.TimeUnitNanos:
		n.unit = 1000
	}
}
