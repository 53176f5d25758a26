package expr

import (
	"github.com/streamflow/streamflow/column"
)

// appendAsVariant appends row i of a column as a value of a variant: structs and maps as objects, lists as arrays.
func appendAsVariant(b *column.VariantBuilder, v *column.Vector, i int) {
	i = constRow(v, i)
	if !v.IsValid(i) {
		b.Null()
		return
	}
	switch v.Type.Kind {
	case column.Bool:
		b.Bool(v.Bools[i])
	case column.Float32:
		b.Float(v.F32[i])
	case column.Float64:
		b.Double(v.F64[i])
	case column.Decimal:
		b.Decimal(v.Dec[i], dec(v.Dec[i]).digits(), int(v.Type.Scale))
	case column.String:
		b.Text(v.Bytes(i))
	case column.Binary:
		b.Binary(v.Bytes(i))
	case column.Date:
		b.Date(v.I32[i])
	case column.Timestamp:
		b.Timestamp(v.I64[i])
	case column.TimestampNTZ:
		b.TimestampNTZ(v.I64[i])
	case column.Time:
		b.Time(v.I64[i])
	case column.Variant:
		appendRef(b, v.Variant(i))
	case column.List:
		start := b.Len()
		var at []int
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			at = append(at, b.Len())
			appendAsVariant(b, v.Kids[0], int(j))
		}
		b.EndArray(start, at)
	case column.Struct:
		start := b.Len()
		var list []column.VariantMember
		for f, kid := range v.Kids {
			list = append(list, b.Key([]byte(v.Type.Fields[f].Name)))
			appendAsVariant(b, kid, i)
		}
		b.EndObject(start, list)
	case column.Map:
		start := b.Len()
		var list []column.VariantMember
		for j := v.Offs[i]; j < v.Offs[i+1]; j++ {
			list = append(list, b.Key(v.Kids[0].Bytes(int(j))))
			appendAsVariant(b, v.Kids[1], int(j))
		}
		b.EndObject(start, list)
	default:
		b.Int(intAt(v, i))
	}
}

func appendRef(b *column.VariantBuilder, r column.VariantRef) {
	if !r.Valid() {
		b.Null()
		return
	}
	b.Ref(r)
}

// toVariant is the kernel of a cast to VARIANT.
func toVariant(*Call) kernel {
	b := &column.VariantBuilder{}
	return func(k *kctx, args []*column.Vector, out *column.Vector) {
		t := k.text()
		for i := 0; i < k.n; i++ {
			if k.ok(i) {
				b.Reset()
				appendAsVariant(b, args[0], i)
				t.variant(i, b, "cast")
			}
			t.end(i)
		}
		t.done()
	}
}

// variant appends the variant that b holds; row i fails when it is too large.
func (t *text) variant(i int, b *column.VariantBuilder, fn string) {
	var ok bool
	if t.buf, ok = b.Append(t.buf); !ok {
		t.k.fail(i, errVariantSize(fn))
	}
}

// variantable reports whether values of a type have a form as variant; nested says whether structs and maps count.
func variantable(t column.Type, nested bool) bool {
	switch t.Kind {
	case column.IntervalYM, column.IntervalDT, column.Calendar:
		return false
	case column.List:
		return variantable(t.Elem(), nested)
	case column.Map:
		return nested && t.Fields[0].Type.Kind == column.String && variantable(t.Fields[1].Type, nested)
	case column.Struct:
		for _, f := range t.Fields {
			if !variantable(f.Type, nested) {
				return false
			}
		}
		return nested && !repeatedName(t.Fields)
	}
	return true
}

func repeatedName(fields []column.Field) bool {
	seen := map[string]bool{}
	for _, f := range fields {
		if seen[f.Name] {
			return true
		}
		seen[f.Name] = true
	}
	return false
}

// castableFromVariant reports whether a variant can be cast to the type.
func castableFromVariant(t column.Type) bool {
	switch t.Kind {
	case column.IntervalYM, column.IntervalDT, column.Calendar:
		return false
	case column.Map:
		return t.Fields[0].Type.Kind == column.String && castableFromVariant(t.Fields[1].Type)
	}
	for _, f := range t.Fields {
		if !castableFromVariant(f.Type) {
			return false
		}
	}
	return true
}

// digits is the number of digits of d, at least 1.
func (d dec) digits() int {
	a, n := d.abs(), 1
	for n < maxPrecision && a.cmp(pow10[n]) >= 0 {
		n++
	}
	return n
}
