package connect

import (
	"crypto/sha256"
	"encoding/hex"
	"sort"

	"github.com/streamflow/streamflow/column"
	pb "github.com/streamflow/streamflow/driver/connect/proto/sparkpb"
	"github.com/streamflow/streamflow/expr"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
	"google.golang.org/protobuf/proto"
)

// Rows that travel in a plan: an Arrow IPC stream, a schema as text, or both.

func (d *decoder) local(l *pb.LocalRelation) (logical.Plan, error) {
	var data [][]byte
	if l.Data != nil {
		data = append(data, l.GetData())
	}
	return localPlan(data, l.GetSchema())
}

func (d *decoder) cachedLocal(c *pb.CachedLocalRelation) (logical.Plan, error) {
	data, err := d.artifactOf(c.GetHash())
	if err != nil {
		return nil, err
	}
	l := &pb.LocalRelation{}
	if err := proto.Unmarshal(data, l); err != nil {
		return nil, invalidPlan("CACHED_LOCAL_RELATION", "The cached local relation %s cannot be read: %v.", c.GetHash(), err)
	}
	return d.local(l)
}

// chunkedLocal joins chunks, each a complete Arrow stream, in the order of their hashes.
func (d *decoder) chunkedLocal(c *pb.ChunkedCachedLocalRelation) (logical.Plan, error) {
	var data [][]byte
	for _, h := range c.GetDataHashes() {
		chunk, err := d.artifactOf(h)
		if err != nil {
			return nil, err
		}
		data = append(data, chunk)
	}
	schema := ""
	if c.SchemaHash != nil {
		text, err := d.artifactOf(c.GetSchemaHash())
		if err != nil {
			return nil, err
		}
		schema = string(text)
	}
	return localPlan(data, schema)
}

func (d *decoder) artifactOf(hash string) ([]byte, error) {
	if d.artifact != nil {
		if data, ok := d.artifact("cache/" + hash); ok {
			return data, nil
		}
	}
	return nil, invalidPlan("NOT_FOUND_CACHED_LOCAL_RELATION", "Not found any cached local relation with the hash: %s.", hash).With("hash", hash)
}

func localPlan(data [][]byte, schemaText string) (logical.Plan, error) {
	var declared *column.Schema
	if schemaText != "" {
		var err error
		if declared, err = parseSchema(schemaText); err != nil {
			return nil, err
		}
	}
	if len(data) == 0 {
		if declared == nil {
			return nil, invalidPlan("LOCAL_RELATION", "A local relation has neither data nor schema.")
		}
		return newLocal(declared, nil), nil
	}
	schema, batches, err := readStreams(data)
	if err != nil {
		return nil, err
	}
	if schema == nil {
		if declared == nil {
			return nil, invalidPlan("LOCAL_RELATION", "A local relation has neither rows nor schema.")
		}
		return newLocal(declared, nil), nil
	}
	return declareLocal(newLocal(schema, batches), declared), nil
}

func readStreams(data [][]byte) (schema *column.Schema, batches []*column.Batch, err error) {
	for _, stream := range data {
		s, list, err := readStream(stream)
		if err != nil {
			return nil, nil, usererr.New("CONNECT_INVALID_PLAN.LOCAL_RELATION", "56K00", "The rows of a local relation cannot be read: %v.", err)
		}
		switch {
		case s == nil:
		case schema == nil:
			schema = s
		case !schema.Equal(s):
			return nil, nil, invalidPlan("LOCAL_RELATION", "The chunks of a local relation have different schemas.")
		}
		batches = append(batches, list...)
	}
	return schema, batches, nil
}

// declareLocal gives rows the declared names and nullability, and casts by name where types differ.
func declareLocal(l *logical.Local, declared *column.Schema) logical.Plan {
	if declared == nil {
		return l
	}
	if !sameTypes(l.Schema, declared) {
		return &logical.ToSchema{Schema: declared, Child: l}
	}
	batches := make([]*column.Batch, len(l.Batches))
	for i, b := range l.Batches {
		batches[i] = column.NewBatch(declared, b.N, b.Cols...)
	}
	return newLocal(declared, batches)
}

func sameTypes(a, b *column.Schema) bool {
	if a.Len() != b.Len() {
		return false
	}
	for i := range a.Fields {
		if !a.Fields[i].Type.Equal(b.Fields[i].Type) {
			return false
		}
	}
	return true
}

func newLocal(schema *column.Schema, batches []*column.Batch) *logical.Local {
	l := &logical.Local{Schema: schema, Batches: batches}
	for _, f := range schema.Fields {
		l.Attrs = append(l.Attrs, &expr.Attr{ID: expr.NewID(), Name: f.Name, Typ: f.Type, Null: f.Nullable})
	}
	return l
}

func rangeAttr() *expr.Attr {
	return &expr.Attr{ID: expr.NewID(), Name: "id", Typ: column.Of(column.Int64)}
}

// localToProto sends rows as one Arrow stream and the schema as JSON, which keeps nullability.
func localToProto(l *logical.Local) (*pb.LocalRelation, error) {
	out := &pb.LocalRelation{Schema: ptr(schemaToJSON(l.Schema))}
	if len(l.Batches) == 0 {
		return out, nil
	}
	data, err := writeStream(l.Schema, l.Batches)
	out.Data = data
	return out, err
}

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
