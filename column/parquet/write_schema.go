package parquet

import (
	pq "github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// fileSchema is a schema in Parquet's terms, as Spark writes it: lists and maps in three levels, short decimals as
// integers, timestamps in microseconds.
func fileSchema(s *column.Schema) (*schema.GroupNode, error) {
	fields, err := groupFields(s.Fields)
	if err != nil {
		return nil, err
	}
	return schema.NewGroupNode("spark_schema", pq.Repetitions.Required, fields, -1)
}

func groupFields(fields []column.Field) (schema.FieldList, error) {
	var out schema.FieldList
	for _, f := range fields {
		n, err := fieldNode(f.Name, f.Type, f.Nullable)
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func fieldNode(name string, t column.Type, nullable bool) (schema.Node, error) {
	rep := pq.Repetitions.Required
	if nullable || t.Kind == column.Null {
		rep = pq.Repetitions.Optional
	}
	switch t.Kind {
	case column.Struct:
		kids, err := groupFields(t.Fields)
		if err != nil {
			return nil, err
		}
		return schema.NewGroupNode(name, rep, kids, -1)
	case column.List:
		elem, err := fieldNode("element", t.Elem(), t.Fields[0].Nullable)
		if err != nil {
			return nil, err
		}
		return wrap(name, rep, "list", schema.ListLogicalType{}, elem)
	case column.Map:
		key, err := fieldNode("key", t.Fields[0].Type, false)
		if err != nil {
			return nil, err
		}
		value, err := fieldNode("value", t.Fields[1].Type, t.Fields[1].Nullable)
		if err != nil {
			return nil, err
		}
		return wrap(name, rep, "key_value", schema.MapLogicalType{}, key, value)
	}
	switch t.Kind {
	case column.Variant:
		return variantNode(name, rep)
	case column.Calendar:
		return nil, usererr.New("UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "Column %s of type %s cannot be written as Parquet.", name, t).
			WithFix("Write its text: cast(%s as string).", name)
	}
	phys, logical, length := primitiveOf(t)
	return schema.NewPrimitiveNodeLogical(name, rep, logical, phys, length, -1)
}

func wrap(name string, rep pq.Repetition, middle string, logical schema.LogicalType, kids ...schema.Node) (schema.Node, error) {
	mid, err := schema.NewGroupNode(middle, pq.Repetitions.Repeated, kids, -1)
	if err != nil {
		return nil, err
	}
	return schema.NewGroupNodeLogical(name, rep, schema.FieldList{mid}, logical, -1)
}

func primitiveOf(t column.Type) (phys pq.Type, logical schema.LogicalType, length int) {
	none := schema.LogicalType(schema.NoLogicalType{})
	switch t.Kind {
	case column.Bool:
		return pq.Types.Boolean, none, 0
	case column.Int8:
		return pq.Types.Int32, schema.NewIntLogicalType(8, true), 0
	case column.Int16:
		return pq.Types.Int32, schema.NewIntLogicalType(16, true), 0
	case column.Int64, column.IntervalDT:
		return pq.Types.Int64, none, 0
	case column.Float32:
		return pq.Types.Float, none, 0
	case column.Float64:
		return pq.Types.Double, none, 0
	case column.String:
		return pq.Types.ByteArray, schema.StringLogicalType{}, 0
	case column.Binary:
		return pq.Types.ByteArray, none, 0
	case column.Date:
		return pq.Types.Int32, schema.DateLogicalType{}, 0
	case column.Time:
		return pq.Types.Int64, schema.NewTimeLogicalType(false, schema.TimeUnitMicros), 0
	case column.Timestamp:
		return pq.Types.Int64, schema.NewTimestampLogicalType(true, schema.TimeUnitMicros), 0
	case column.TimestampNTZ:
		return pq.Types.Int64, schema.NewTimestampLogicalType(false, schema.TimeUnitMicros), 0
	case column.Decimal:
		logical = schema.NewDecimalLogicalType(int32(t.Precision), int32(t.Scale))
		switch {
		case t.Precision <= 9:
			return pq.Types.Int32, logical, 0
		case t.Precision <= 18:
			return pq.Types.Int64, logical, 0
		}
		return pq.Types.FixedLenByteArray, logical, decimalBytes[t.Precision]
	}
	return pq.Types.Int32, none, 0
}

// decimalBytes is the shortest length of a two's-complement integer of so many digits.
var decimalBytes = func() (n [column.MaxPrecision + 1]int) {
	size := 1
	limit := 127.0
	for p := range n {
		for max := pow10(p) - 1; max > limit; limit = limit*256 + 255 {
			size++
		}
		n[p] = size
	}
	return n
}()

func pow10(n int) float64 {
	x := 1.0
	for range n {
		x *= 10
	}
	return x
}
