package expr

import "github.com/streamflow/streamflow/column"

const maxPrecision = 38

// AsDecimal is the decimal type that holds every value of a numeric type (floats: as Spark approximates them).
func AsDecimal(t column.Type) column.Type {
	switch t.Kind {
	case column.Int8:
		return column.DecimalOf(3, 0)
	case column.Int16:
		return column.DecimalOf(5, 0)
	case column.Int32:
		return column.DecimalOf(10, 0)
	case column.Int64:
		return column.DecimalOf(20, 0)
	case column.Float32:
		return column.DecimalOf(14, 7)
	case column.Float64:
		return column.DecimalOf(30, 15)
	}
	return t
}

// widerDecimal is the type where two decimals meet without arithmetic: when 38 digits do not suffice, the scale is cut.
func widerDecimal(a, b column.Type) column.Type {
	s := max(int(a.Scale), int(b.Scale))
	whole := max(int(a.Precision)-int(a.Scale), int(b.Precision)-int(b.Scale))
	if whole+s <= maxPrecision {
		return column.DecimalOf(whole+s, s)
	}
	if whole >= maxPrecision {
		return column.DecimalOf(maxPrecision, 0)
	}
	return column.DecimalOf(maxPrecision, maxPrecision-whole)
}

// adjusted bounds the result type of decimal arithmetic at 38 digits, giving up fraction digits beyond the sixth.
func adjusted(p, s int) column.Type {
	if p <= maxPrecision {
		return column.DecimalOf(p, s)
	}
	return column.DecimalOf(maxPrecision, max(maxPrecision-(p-s), min(s, 6)))
}

// decimalResult is the type of a op b for decimals.
func decimalResult(op string, a, b column.Type) column.Type {
	p1, s1, p2, s2 := int(a.Precision), int(a.Scale), int(b.Precision), int(b.Scale)
	switch op {
	case "+", "-":
		s := max(s1, s2)
		return adjusted(s+max(p1-s1, p2-s2)+1, s)
	case "*":
		return adjusted(p1+p2+1, s1+s2)
	case "/":
		s := max(6, s1+p2+1)
		return adjusted(p1-s1+s2+s, s)
	default: // % and pmod
		s := max(s1, s2)
		return adjusted(min(p1-s1, p2-s2)+s, s)
	}
}

// literalDecimal is the tightest decimal type of an integer literal that meets a decimal: 5 is decimal(1,0) there.
func literalDecimal(e Expr) column.Type {
	t := e.DataType()
	l, ok := e.(*Literal)
	if !ok || !t.IsInteger() || l.Value == nil {
		return AsDecimal(t)
	}
	n, digits := l.Value.(int64), 1
	for n /= 10; n != 0; n /= 10 {
		digits++
	}
	return column.DecimalOf(digits, 0)
}
