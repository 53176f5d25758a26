package column

// nested reads the value at i into a builder: the path for lists, structs and maps and for what they hold.
func (s *JSONScanner) nested(field string, b *Builder, i, depth int) int {
	if depth > maxDepth {
		return s.fail(field, i, "the value is nested too deeply")
	}
	t := b.Type()
	if hasKey(s.rec, i, "null") && t.Kind != Variant {
		b.AppendNull()
		return i + 4
	}
	switch t.Kind {
	case List:
		return s.list(field, b, i, depth)
	case Map:
		return s.mapping(field, b, i, depth)
	case Struct:
		return s.structure(field, b, i, depth)
	}
	return s.scalar(field, t, b, i)
}

func (s *JSONScanner) scalar(field string, t Type, b *Builder, i int) (next int) {
	switch t.Kind {
	case Bool:
		var x bool
		if x, next = s.boolean(field, i); next >= 0 {
			b.AppendBool(x)
		}
	case Int8, Int16, Int32, Int64:
		x, end, why := scanInt(s.rec, i)
		if end >= 0 && !fits(x, t.Kind.Storage()) {
			end, why = -1, "out of range"
		}
		if next = end; end < 0 {
			return s.refuse(field, t, i, why)
		}
		b.AppendI64(x)
	case Float32, Float64:
		var x float64
		if x, next = s.float(field, t, i); next >= 0 {
			b.AppendF64(x)
		}
	case Decimal:
		var x Dec128
		if x, next = s.decimal(field, t, i); next >= 0 {
			b.AppendDec(x)
		}
	case String:
		var x []byte
		if i < len(s.rec) && s.rec[i] == '"' {
			x, next = s.str(field, i)
		} else {
			x, next = s.rawText(field, i)
		}
		if next >= 0 {
			b.AppendBytes(x)
		}
	case Binary:
		var x []byte
		if x, next = s.binary(field, i); next >= 0 {
			b.AppendBytes(x)
		}
	case Calendar:
		var x Dec128
		if x, next = s.calendar(field, i); next >= 0 {
			b.AppendDec(x)
		}
	case Variant:
		var x []byte
		if x, next = s.variant(field, i); next >= 0 {
			b.AppendBytes(x)
		}
	case Null:
		if next = s.skip(field, i, 0); next >= 0 {
			b.AppendNull()
		}
	default:
		var x int64
		if x, next = s.long(field, t, i); next >= 0 {
			b.AppendI64(x)
		}
	}
	return next
}

func (s *JSONScanner) list(field string, b *Builder, i, depth int) int {
	if i >= len(s.rec) || s.rec[i] != '[' {
		return s.refuse(field, b.Type(), i, "")
	}
	i = skipSpace(s.rec, i+1)
	more := i >= len(s.rec) || s.rec[i] != ']'
	if !more {
		i++
	}
	for more {
		if i = s.nested(field, b.Kid(0), i, depth+1); i < 0 {
			return -1
		}
		if more, i = s.separator(field, i, ']'); i < 0 {
			return -1
		}
	}
	b.CloseRow()
	return i
}

func (s *JSONScanner) mapping(field string, b *Builder, i, depth int) int {
	if i >= len(s.rec) || s.rec[i] != '{' {
		return s.refuse(field, b.Type(), i, "")
	}
	i = skipSpace(s.rec, i+1)
	more := i >= len(s.rec) || s.rec[i] != '}'
	if !more {
		i++
	}
	for more {
		at := i
		key, next := s.str(field, i)
		if next < 0 {
			return -1
		}
		if !appendMapKey(b.Kid(0), textOf(key)) {
			return s.refuse(field, b.Type().Fields[0].Type, at, "")
		}
		if i = skipSpace(s.rec, next); i >= len(s.rec) || s.rec[i] != ':' {
			return s.fail(field, i, "a colon must follow a key")
		}
		if i = s.nested(field, b.Kid(1), skipSpace(s.rec, i+1), depth+1); i < 0 {
			return -1
		}
		if more, i = s.separator(field, i, '}'); i < 0 {
			return -1
		}
	}
	b.CloseRow()
	return i
}

// appendMapKey appends a key given as text, converted to the key type.
func appendMapKey(b *Builder, text string) bool {
	switch t := b.Type(); t.Kind {
	case String, Binary:
		b.AppendString(text)
		return true
	case Bool:
		b.AppendBool(text == "true")
		return text == "true" || text == "false"
	case Int8, Int16, Int32, Int64:
		x, end, _ := scanInt(bytesOf(text), 0)
		if end != len(text) || !fits(x, t.Kind.Storage()) {
			return false
		}
		b.AppendI64(x)
		return true
	case Float32, Float64:
		x, end := scanFloat(bytesOf(text), 0)
		if end != len(text) {
			return false
		}
		b.AppendF64(x)
		return true
	case Decimal:
		d, ok := ParseDecimal(text, int(t.Precision), int(t.Scale))
		b.AppendDec(d)
		return ok
	case Date, Timestamp, TimestampNTZ, IntervalYM, IntervalDT, Time:
		x, ok := parseLong(text, t)
		b.AppendI64(x)
		return ok
	}
	return false
}

// structure reads an object into a struct: each member into its child, the rest skipped, missing ones null.
func (s *JSONScanner) structure(field string, b *Builder, i, depth int) int {
	if i >= len(s.rec) || s.rec[i] != '{' {
		return s.refuse(field, b.Type(), i, "")
	}
	n := b.Len()
	i = skipSpace(s.rec, i+1)
	more := i >= len(s.rec) || s.rec[i] != '}'
	if !more {
		i++
	}
	for more {
		name, next := s.str(field, i)
		if next < 0 {
			return -1
		}
		k := memberIndex(b.v.Type.Fields, textOf(name))
		if i = skipSpace(s.rec, next); i >= len(s.rec) || s.rec[i] != ':' {
			return s.fail(field, i, "a colon must follow a member's name")
		}
		i = skipSpace(s.rec, i+1)
		if k < 0 {
			i = s.skip(field, i, depth+1)
		} else {
			b.Kid(k).Truncate(n)
			i = s.nested(field+"."+b.v.Type.Fields[k].Name, b.Kid(k), i, depth+1)
		}
		if i < 0 {
			return -1
		}
		if more, i = s.separator(field, i, '}'); i < 0 {
			return -1
		}
	}
	for k := range b.v.Type.Fields {
		if kid := b.Kid(k); kid.Len() == n {
			kid.AppendNull()
		}
	}
	b.CloseRow()
	return i
}

func memberIndex(fields []Field, name string) int {
	for i := range fields {
		if fields[i].Name == name {
			return i
		}
	}
	return -1
}
