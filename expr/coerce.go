package expr

import (
	"strings"

	"github.com/streamflow/streamflow/column"
)

// CommonType is the type that values of a and b are both brought to where they meet: in comparisons, CASE, coalesce,
// IN, arrays and unions. It follows Spark's ANSI rules; in particular a string meeting a number, a date or a boolean
// becomes one of those.
func CommonType(a, b column.Type) (column.Type, bool) {
	switch {
	case isInterval(a.Kind) && b.Kind == a.Kind:
		return widerInterval(a, b), true
	case a.Equal(b):
		return mergeNulls(a, b), true
	case a.Kind == column.Null:
		return b, true
	case b.Kind == column.Null:
		return a, true
	case a.IsNumeric() && b.IsNumeric():
		return commonNumber(a, b), true
	case a.IsTemporal() && b.IsTemporal():
		return commonTime(a, b), true
	case a.Kind == column.Time && b.Kind == column.Time:
		return column.TimeOf(int(max(a.Precision, b.Precision))), true
	case a.Kind == column.String:
		return commonString(b)
	case b.Kind == column.String:
		return commonString(a)
	case a.Kind == b.Kind && a.IsNested():
		return commonNested(a, b)
	}
	return column.Type{}, false
}

func commonNumber(a, b column.Type) column.Type {
	switch {
	case a.Kind == column.Decimal && b.Kind == column.Decimal,
		a.Kind == column.Decimal && b.IsInteger(), a.IsInteger() && b.Kind == column.Decimal:
		return widerDecimal(AsDecimal(a), AsDecimal(b))
	case a.Kind == column.Decimal || b.Kind == column.Decimal:
		return column.Of(column.Float64)
	case a.IsFloat() != b.IsFloat():
		return column.Of(column.Float64)
	}
	return column.Of(max(a.Kind, b.Kind))
}

func commonTime(a, b column.Type) column.Type {
	if a.Kind == column.Timestamp || b.Kind == column.Timestamp {
		return column.Of(column.Timestamp)
	}
	return column.Of(column.TimestampNTZ)
}

// commonString is the common type of a string and a value of another type.
func commonString(o column.Type) (column.Type, bool) {
	switch {
	case o.IsInteger():
		return column.Of(column.Int64), true
	case o.IsNumeric():
		return column.Of(column.Float64), true
	case o.IsNested():
		return column.Type{}, false
	}
	return o, true
}

func commonNested(a, b column.Type) (column.Type, bool) {
	if len(a.Fields) != len(b.Fields) {
		return column.Type{}, false
	}
	out := column.Type{Kind: a.Kind, Fields: make([]column.Field, len(a.Fields))}
	for i, f := range a.Fields {
		g := b.Fields[i]
		if a.Kind == column.Struct && !strings.EqualFold(f.Name, g.Name) {
			return column.Type{}, false
		}
		t, ok := CommonType(f.Type, g.Type)
		if !ok {
			return column.Type{}, false
		}
		out.Fields[i] = column.Field{Name: f.Name, Type: t, Nullable: f.Nullable || g.Nullable}
	}
	return out, true
}

// mergeNulls is a with every member nullable that is nullable in either type.
func mergeNulls(a, b column.Type) column.Type {
	if !a.IsNested() {
		return a
	}
	t, _ := commonNestedSame(a, b)
	return t
}

func commonNestedSame(a, b column.Type) (column.Type, bool) {
	out := column.Type{Kind: a.Kind, Fields: make([]column.Field, len(a.Fields))}
	for i, f := range a.Fields {
		g := b.Fields[i]
		out.Fields[i] = column.Field{Name: f.Name, Type: mergeNulls(f.Type, g.Type), Nullable: f.Nullable || g.Nullable}
	}
	return out, true
}

// Coerce returns e as a value of type to: unchanged, as another literal, or under a cast.
func Coerce(e Expr, to column.Type) Expr {
	t := e.DataType()
	if t.Equal(to) {
		return e
	}
	if l, ok := e.(*Literal); ok {
		if c := coerceLiteral(l, to); c != nil {
			return c
		}
	}
	return &Cast{Child: e, To: to}
}

// coerceLiteral converts where nothing can be lost and no session matters; nil otherwise.
func coerceLiteral(l *Literal, to column.Type) Expr {
	if l.Value == nil {
		return &Literal{Typ: to}
	}
	i, isInt := l.Value.(int64)
	switch {
	case isInt && l.Typ.IsInteger() && to.IsInteger() && fitsInt(i, to.Kind):
		return &Literal{i, to}
	case isInt && l.Typ.IsInteger() && to.Kind == column.Float64 && int64(float64(i)) == i:
		return &Literal{float64(i), to}
	case isInt && l.Typ.IsInteger() && to.Kind == column.Decimal:
		if d, ok := decFromInt(i).rescale(0, int(to.Scale)); ok && d.fits(int(to.Precision)) {
			return &Literal{column.Dec128(d), to}
		}
	}
	return nil
}

func fitsInt(v int64, k column.Kind) bool {
	switch k {
	case column.Int8:
		return int64(int8(v)) == v
	case column.Int16:
		return int64(int16(v)) == v
	case column.Int32, column.IntervalYM:
		return int64(int32(v)) == v
	}
	return true
}

// implicit reports whether an argument of type from is cast silently to the simple type to.
func implicit(from, to column.Type) bool {
	switch {
	case from.Equal(to) || from.Kind == column.Null:
		return true
	case from.IsNested():
		return false
	case to.Kind == column.String:
		return true
	case from.Kind == column.String:
		return true
	case to.IsNumeric():
		return from.IsNumeric()
	case to.IsTemporal():
		return from.IsTemporal()
	}
	return false
}

// CanCast reports whether CAST(from AS to) is allowed at all.
func CanCast(from, to column.Type) bool {
	a, b := from.Kind, to.Kind
	switch {
	case a == b && from.IsNested():
		return castableNested(from, to)
	case a == column.Variant:
		return castableFromVariant(to)
	case b == column.Variant:
		return variantable(from, false)
	case from.Equal(to) || a == column.Null || a == b:
		return true
	case b == column.String:
		return true
	case from.IsNested() || to.IsNested():
		return false
	case a == column.String:
		return true
	case a == column.Binary || b == column.Binary:
		return from.IsInteger()
	case a == column.Bool:
		return to.IsNumeric() || b == column.Timestamp
	case from.IsNumeric():
		return to.IsNumeric() || b == column.Bool || b == column.Timestamp || from.IsInteger() && (b == column.IntervalDT || b == column.IntervalYM)
	case from.IsTemporal():
		return to.IsTemporal() || a == column.Timestamp && to.IsNumeric()
	case a == column.IntervalYM || a == column.IntervalDT:
		return to.IsInteger()
	case a == column.Time:
		return to.IsInteger() || b == column.Decimal
	}
	return false
}

func castableNested(from, to column.Type) bool {
	if len(from.Fields) != len(to.Fields) {
		return false
	}
	for i := range from.Fields {
		if !CanCast(from.Fields[i].Type, to.Fields[i].Type) {
			return false
		}
	}
	return true
}
