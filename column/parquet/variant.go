package parquet

import (
	"encoding/json"
	"fmt"

	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/streamflow/streamflow/column"
)

// A variant is a group of two columns of bytes, value and metadata. Parquet's own schema does not tell it from a struct of
// such members: the schema that the writer leaves in the footer does, ours (schemaKey) or Spark's (sparkKey).

// sparkKey is the footer's key under which Spark keeps its schema as JSON.
const sparkKey = "org.apache.spark.sql.parquet.row.metadata"

// variantNode is the group of a variant column.
func variantNode(name string, rep pq.Repetition) (schema.Node, error) {
	var kids schema.FieldList
	for _, part := range [...]string{"value", "metadata"} {
		n, err := schema.NewPrimitiveNodeLogical(part, pq.Repetitions.Required, schema.NoLogicalType{}, pq.Types.ByteArray, 0, -1)
		if err != nil {
			return nil, err
		}
		kids = append(kids, n)
	}
	return schema.NewGroupNode(name, rep, kids, -1)
}

// refine gives the node the type want where that is stored alike, and its members theirs.
func (n *node) refine(want column.Type) {
	switch {
	case want.Kind == column.Variant:
		if n.looksLikeVariant() {
			n.metaFirst = n.typ.Fields[0].Name == "metadata"
			n.typ = want
		}
	case !want.IsNested():
		if sameStorage(n.typ, want) {
			n.typ = want
		}
	case want.Kind == n.typ.Kind && len(want.Fields) == len(n.kids):
		n.typ.Fields = append([]column.Field{}, n.typ.Fields...)
		for i := range n.kids {
			n.kids[i].refine(want.Fields[i].Type)
			n.typ.Fields[i].Type = n.kids[i].typ
		}
	}
}

// looksLikeVariant reports whether the node is a struct of value and metadata, both bytes.
func (n *node) looksLikeVariant() bool {
	t := n.typ
	if t.Kind != column.Struct || len(t.Fields) != 2 || t.Fields[0].Type.Kind != column.Binary || t.Fields[1].Type.Kind != column.Binary {
		return false
	}
	first, second := t.Fields[0].Name, t.Fields[1].Name
	return first == "value" && second == "metadata" || first == "metadata" && second == "value"
}

// parts are the leaves of a variant's value and metadata.
func (n *node) parts() (value, meta *node) {
	if n.metaFirst {
		return &n.kids[1], &n.kids[0]
	}
	return &n.kids[0], &n.kids[1]
}

// sparkType is a type in Spark's JSON: a name, or an object.
type sparkType struct {
	Type        json.RawMessage `json:"type"`
	ElementType json.RawMessage `json:"elementType"`
	KeyType     json.RawMessage `json:"keyType"`
	ValueType   json.RawMessage `json:"valueType"`
	Fields      []struct {
		Name string          `json:"name"`
		Type json.RawMessage `json:"type"`
	} `json:"fields"`
}

// sparkVariants makes variants of the groups that Spark's schema in the footer says are such.
func (f *File) sparkVariants() {
	text := f.r.MetaData().KeyValueMetadata().FindValue(sparkKey)
	var root sparkType
	if text == nil || json.Unmarshal([]byte(*text), &root) != nil {
		return
	}
	for i := range f.nodes {
		for _, w := range root.Fields {
			if have := &f.schema.Fields[i]; w.Name == have.Name {
				f.nodes[i].sparkVariants(w.Type, 0)
				have.Type = f.nodes[i].typ
			}
		}
	}
}

func (n *node) sparkVariants(raw json.RawMessage, depth int) {
	if string(raw) == `"variant"` {
		n.refine(column.Of(column.Variant))
		return
	}
	var t sparkType
	if depth > maxTypeDepth || len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &t) != nil {
		return
	}
	var kids []json.RawMessage
	switch n.typ.Kind {
	case column.List:
		kids = []json.RawMessage{t.ElementType}
	case column.Map:
		kids = []json.RawMessage{t.KeyType, t.ValueType}
	case column.Struct:
		for _, f := range t.Fields {
			kids = append(kids, f.Type)
		}
	}
	if len(kids) != len(n.kids) {
		return
	}
	n.typ.Fields = append([]column.Field{}, n.typ.Fields...)
	for i := range n.kids {
		n.kids[i].sparkVariants(kids[i], depth+1)
		n.typ.Fields[i].Type = n.kids[i].typ
	}
}

const maxTypeDepth = 64

// variant appends the variant that the next entries of value and metadata are.
func (r *nested) variant(n *node, b *column.Builder) error {
	value, meta := n.parts()
	v, m := r.leafs[value.leaf], r.leafs[meta.leaf]
	for _, s := range []*stream{v, m} {
		if ok, err := s.peek(); err != nil || !ok {
			return fmt.Errorf("parquet: a variant lacks a part: %w", errPage)
		}
	}
	if v.def() < value.def || m.def() < meta.def {
		return fmt.Errorf("parquet: a variant whose value is null, or kept in columns: %w", errPage)
	}
	whole := append(append(make([]byte, 0, 256), m.values.Bytes(m.value)...), v.values.Bytes(v.value)...)
	if r := column.SplitVariant(whole); len(r.Meta) != len(m.values.Bytes(m.value)) || !r.Valid() {
		return fmt.Errorf("parquet: the bytes are no variant: %w", errPage)
	}
	b.AppendBytes(whole)
	for _, s := range []*stream{v, m} {
		s.value++
		s.at++
	}
	return nil
}

// variant adds a variant to its two leaves.
func (s *shredder) variant(n *node, v column.VariantRef, rep int16) {
	value, meta := n.parts()
	for _, part := range []struct {
		n *node
		b []byte
	}{{value, v.Value}, {meta, v.Meta}} {
		o := s.out[part.n.leaf]
		o.defs, o.reps = append(o.defs, part.n.def), append(o.reps, rep)
		o.values.AppendBytes(part.b)
	}
}
