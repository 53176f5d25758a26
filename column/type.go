package column

import (
	"fmt"
	"strings"
	"unicode"
)

// Kind names a logical type. The comment beside each gives its physical storage in a Vector.
type Kind uint8

const (
	Null         Kind = iota // no storage: every row is null
	Bool                     // Bools
	Int8                     // I8, Spark's tinyint (byte)
	Int16                    // I16, smallint (short)
	Int32                    // I32, int
	Int64                    // I64, bigint (long)
	Float32                  // F32, float
	Float64                  // F64, double
	Decimal                  // Dec, decimal(precision, scale) as a scaled 128-bit integer
	String                   // Views+Bufs or Codes+Dict, UTF-8
	Binary                   // Views+Bufs
	Date                     // I32, days since 1970-01-01
	Timestamp                // I64, microseconds since the epoch, an instant (shown in the session's time zone)
	TimestampNTZ             // I64, microseconds since the epoch, a wall-clock reading without zone
	IntervalYM               // I32, months
	IntervalDT               // I64, microseconds; see DayInterval
	List                     // Offs, Kids[0]
	Struct                   // Kids[i] for each field
	Map                      // Offs, Kids[0] keys (never null), Kids[1] values
	Variant                  // Views+Bufs, a value of a type of its own: see VariantRef
	Calendar                 // Dec, an interval of months, days and microseconds: see CalendarInterval
	Time                     // I64, microseconds since midnight, time(precision)
)

var kindNames = [...]string{"void", "boolean", "tinyint", "smallint", "int", "bigint", "float", "double", "decimal", "string",
	"binary", "date", "timestamp", "timestamp_ntz", "interval year to month", "interval day to second", "array", "struct", "map", "variant", "interval", "time"}

func (k Kind) String() string { return kindNames[k] }

// Type is a logical type in Spark's type system. The zero value is the null type.
type Type struct {
	Kind      Kind
	Precision uint8   // Decimal: 1..38; Time: 0..6, the digits of a second's fraction
	Scale     uint8   // Decimal: 0..Precision
	Fields    []Field // Struct: the members; List: one field "element"; Map: "key" and "value"
}

// Field is a named member of a schema or struct.
type Field struct {
	Name     string
	Type     Type
	Nullable bool
}

// Of returns the type of a kind that has no parameters.
func Of(k Kind) Type { return Type{Kind: k} }

// DayInterval is Spark's INTERVAL DAY: an interval of whole days, which is held as any interval of days and time. A date plus it
// is a date.
func DayInterval() Type { return Type{Kind: IntervalDT, Precision: 1} }

// IsDayInterval reports whether the type says that its values are whole days.
func (t Type) IsDayInterval() bool { return t.Kind == IntervalDT && t.Precision == 1 }

// DecimalOf returns decimal(precision, scale).
func DecimalOf(precision, scale int) Type {
	return Type{Kind: Decimal, Precision: uint8(precision), Scale: uint8(scale)}
}

// ListOf returns array<elem>; containsNull says whether elements may be null.
func ListOf(elem Type, containsNull bool) Type {
	return Type{Kind: List, Fields: []Field{{Name: "element", Type: elem, Nullable: containsNull}}}
}

// StructOf returns struct<fields>.
func StructOf(fields ...Field) Type { return Type{Kind: Struct, Fields: fields} }

// MapOf returns map<key, value>; keys are never null.
func MapOf(key, value Type, valueContainsNull bool) Type {
	return Type{Kind: Map, Fields: []Field{{Name: "key", Type: key}, {Name: "value", Type: value, Nullable: valueContainsNull}}}
}

// Elem is the element type of a List.
func (t Type) Elem() Type { return t.Fields[0].Type }

// Equal reports whether both types are the same, ignoring the nullability of members.
func (t Type) Equal(o Type) bool {
	if t.Kind == IntervalDT || t.Kind == IntervalYM {
		return o.Kind == t.Kind
	}
	if t.Kind != o.Kind || t.Precision != o.Precision || t.Scale != o.Scale || len(t.Fields) != len(o.Fields) {
		return false
	}
	for i, f := range t.Fields {
		if t.Kind == Struct && f.Name != o.Fields[i].Name || !f.Type.Equal(o.Fields[i].Type) {
			return false
		}
	}
	return true
}

// IsInteger, IsNumeric and IsTemporal group kinds for type rules.
func (t Type) IsInteger() bool { return t.Kind >= Int8 && t.Kind <= Int64 }
func (t Type) IsNumeric() bool { return t.Kind >= Int8 && t.Kind <= Decimal }
func (t Type) IsFloat() bool   { return t.Kind == Float32 || t.Kind == Float64 }
func (t Type) IsTemporal() bool {
	return t.Kind == Date || t.Kind == Timestamp || t.Kind == TimestampNTZ
}

// IsNested reports whether the type has child vectors.
func (t Type) IsNested() bool { return t.Kind == List || t.Kind == Struct || t.Kind == Map }

// MaxTimePrecision is the most digits of a second's fraction that a time of day has.
const MaxTimePrecision = 6

// TimeOf returns time(precision), a time of day with so many digits of a second's fraction.
func TimeOf(precision int) Type { return Type{Kind: Time, Precision: uint8(precision)} }

// String is the type's Spark DDL form, such as decimal(10,2) or struct<start:timestamp,end:timestamp>.
func (t Type) String() string {
	switch t.Kind {
	case Decimal:
		return fmt.Sprintf("decimal(%d,%d)", t.Precision, t.Scale)
	case Time:
		return fmt.Sprintf("time(%d)", t.Precision)
	case List:
		return "array<" + t.Elem().String() + ">"
	case Map:
		return "map<" + t.Fields[0].Type.String() + "," + t.Fields[1].Type.String() + ">"
	case Struct:
		parts := make([]string, len(t.Fields))
		for i, f := range t.Fields {
			parts[i] = quoteName(f.Name) + ":" + f.Type.String()
		}
		return "struct<" + strings.Join(parts, ",") + ">"
	case IntervalDT, IntervalYM:
		return t.intervalName()
	}
	return t.Kind.String()
}

// Schema is an ordered list of fields. It is immutable once shared.
type Schema struct{ Fields []Field }

// NewSchema returns a schema of the fields.
func NewSchema(fields ...Field) *Schema { return &Schema{Fields: fields} }

// Len is the number of fields.
func (s *Schema) Len() int { return len(s.Fields) }

// Index returns the position of the field with that name, compared without case as Spark does, or -1.
func (s *Schema) Index(name string) int {
	for i, f := range s.Fields {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// Equal reports whether names and types agree field by field.
func (s *Schema) Equal(o *Schema) bool {
	return Type{Kind: Struct, Fields: s.Fields}.Equal(Type{Kind: Struct, Fields: o.Fields})
}

// quoteName is a name as ParseDDL reads it back: in backquotes unless it is letters, digits and underscores.
func quoteName(name string) string {
	plain := name != ""
	for _, r := range name {
		plain = plain && (r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r))
	}
	if plain {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}

// String is the schema as DDL: "a int, b string NOT NULL".
func (s *Schema) String() string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = quoteName(f.Name) + " " + f.Type.String()
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
	}
	return strings.Join(parts, ", ")
}
