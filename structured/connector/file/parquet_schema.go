package file

import (
	"fmt"

	"github.com/apache/arrow/go/v17/parquet"
	"github.com/apache/arrow/go/v17/parquet/schema"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/expr"
)

// parquetLeaf is a flat column of a file.
type parquetLeaf struct {
	typ    column.Type
	scale  int64 // integer values are multiplied by it to be in our unit; negative divides
	at     int   // position in the file
	maxDef int16
}

func (l parquetLeaf) unit(x int64) int64 {
	switch {
	case l.scale > 0:
		return x * l.scale
	case l.scale < 0:
		q := x / -l.scale
		if x%-l.scale < 0 {
			q--
		}
		return q
	}
	return x
}

// literal is an integer of the file as a literal, nil when the column is no integer.
func (l parquetLeaf) literal(x int64) *expr.Literal {
	if l.typ.Kind == column.Decimal {
		return nil
	}
	return &expr.Literal{Value: l.unit(x), Typ: l.typ}
}

// parquetSchema is the schema of a file with flat columns.
func parquetSchema(s *schema.Schema) (*column.Schema, []parquetLeaf, error) {
	out := &column.Schema{}
	var leaves []parquetLeaf
	for i := range s.Root().NumFields() {
		n := s.Root().Field(i)
		p, ok := n.(*schema.PrimitiveNode)
		if !ok || n.RepetitionType() == parquet.Repetitions.Repeated {
			return nil, nil, fmt.Errorf("column %s is nested", n.Name())
		}
		leaf, err := leafOf(p)
		if err != nil {
			return nil, nil, fmt.Errorf("column %s: %w", n.Name(), err)
		}
		leaf.at = i
		optional := n.RepetitionType() == parquet.Repetitions.Optional
		if optional {
			leaf.maxDef = 1
		}
		out.Fields = append(out.Fields, column.Field{Name: n.Name(), Type: leaf.typ, Nullable: optional})
		leaves = append(leaves, leaf)
	}
	return out, leaves, nil
}

var physical = map[parquet.Type]column.Kind{parquet.Types.Boolean: column.Bool, parquet.Types.Int32: column.Int32, parquet.Types.Int64: column.Int64,
	parquet.Types.Float: column.Float32, parquet.Types.Double: column.Float64, parquet.Types.ByteArray: column.Binary, parquet.Types.FixedLenByteArray: column.Binary}

func leafOf(p *schema.PrimitiveNode) (parquetLeaf, error) {
	kind, ok := physical[p.PhysicalType()]
	if !ok {
		return parquetLeaf{}, fmt.Errorf("type %s is not supported", p.PhysicalType())
	}
	l := parquetLeaf{typ: column.Of(kind)}
	switch t := p.LogicalType().(type) {
	case schema.StringLogicalType, schema.EnumLogicalType, schema.JSONLogicalType:
		l.typ = column.Of(column.String)
	case schema.DateLogicalType:
		l.typ = column.Of(column.Date)
	case *schema.DecimalLogicalType:
		l.typ = column.DecimalOf(int(t.Precision()), int(t.Scale()))
	case *schema.TimestampLogicalType:
		l.typ = column.Of(column.TimestampNTZ)
		if t.IsAdjustedToUTC() {
			l.typ = column.Of(column.Timestamp)
		}
		l.scale = map[schema.TimeUnitType]int64{schema.TimeUnitMillis: 1000, schema.TimeUnitNanos: -1000}[t.TimeUnit()]
	case *schema.IntLogicalType:
		return l.integer(int(t.BitWidth()), t.IsSigned())
	}
	return l, nil
}

func (l parquetLeaf) integer(width int, signed bool) (parquetLeaf, error) {
	switch {
	case !signed && width >= 32:
		return l, fmt.Errorf("unsigned integers of %d bits are not supported", width)
	case width == 8 && signed:
		l.typ = column.Of(column.Int8)
	case width == 16 && signed, width == 8:
		l.typ = column.Of(column.Int16)
	}
	return l, nil
}

// parquetNode is the file's description of a column.
func parquetNode(f column.Field) (schema.Node, error) {
	rep := parquet.Repetitions.Optional
	var logical schema.LogicalType = schema.NoLogicalType{}
	phys, length := parquet.Types.Undefined, -1
	switch f.Type.Kind {
	case column.Bool:
		phys = parquet.Types.Boolean
	case column.Int8, column.Int16:
		phys, logical = parquet.Types.Int32, schema.NewIntLogicalType(int8(intBits(f.Type.Kind)), true)
	case column.Int32:
		phys = parquet.Types.Int32
	case column.Int64:
		phys = parquet.Types.Int64
	case column.Float32:
		phys = parquet.Types.Float
	case column.Float64:
		phys = parquet.Types.Double
	case column.Decimal:
		phys, length, logical = parquet.Types.FixedLenByteArray, 16, schema.NewDecimalLogicalType(int32(f.Type.Precision), int32(f.Type.Scale))
	case column.String:
		phys, logical = parquet.Types.ByteArray, schema.StringLogicalType{}
	case column.Binary:
		phys = parquet.Types.ByteArray
	case column.Date:
		phys, logical = parquet.Types.Int32, schema.DateLogicalType{}
	case column.Timestamp, column.TimestampNTZ:
		phys, logical = parquet.Types.Int64, schema.NewTimestampLogicalType(f.Type.Kind == column.Timestamp, schema.TimeUnitMicros)
	default:
		return nil, unsupportedType("parquet", f)
	}
	return schema.NewPrimitiveNodeLogical(f.Name, rep, logical, phys, length, -1)
}
