package sql

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
)

// ParseType reads a data type such as decimal(10,2) or array<struct<a: int>>.
func ParseType(src string) (t column.Type, err error) {
	err = run(src, Params{}, func(p *parser) {
		t = p.dataType()
		p.end("end of type")
	})
	return t, err
}

var simpleTypes = map[string]column.Kind{"BOOLEAN": column.Bool, "TINYINT": column.Int8, "BYTE": column.Int8, "SMALLINT": column.Int16,
	"SHORT": column.Int16, "INT": column.Int32, "INTEGER": column.Int32, "BIGINT": column.Int64, "LONG": column.Int64, "FLOAT": column.Float32,
	"REAL": column.Float32, "DOUBLE": column.Float64, "STRING": column.String, "BINARY": column.Binary, "DATE": column.Date,
	"TIMESTAMP": column.Timestamp, "TIMESTAMP_LTZ": column.Timestamp, "TIMESTAMP_NTZ": column.TimestampNTZ, "VOID": column.Null,
	"VARIANT": column.Variant}

func (p *parser) dataType() column.Type {
	defer p.nested()()
	t := p.peek()
	name := strings.ToUpper(p.name("type"))
	if k, ok := simpleTypes[name]; ok {
		return column.Of(k)
	}
	switch name {
	case "DECIMAL", "DEC", "NUMERIC":
		return p.decimalType(t)
	case "VARCHAR", "CHAR", "CHARACTER":
		open := p.needSymbol("(")
		p.integerToken()
		p.closing(")", open)
		return column.Of(column.String)
	case "ARRAY":
		p.openAngle()
		elem := p.dataType()
		p.closeAngle()
		return column.ListOf(elem, true)
	case "MAP":
		p.openAngle()
		k := p.dataType()
		p.needSymbol(",")
		v := p.dataType()
		p.closeAngle()
		return column.MapOf(k, v, true)
	case "STRUCT":
		return p.structType()
	case "INTERVAL":
		return p.intervalType()
	case "TIME":
		return p.timeType(t)
	}
	near := ""
	if list := nearTypes(t.raw); len(list) > 0 {
		near = "Did you mean " + strings.Join(list, " or ") + "?"
	}
	e := p.errorAt(t, "UNSUPPORTED_DATATYPE", "0A000", "There is no data type %s.", t.show()).With("typeName", t.raw)
	e.Fix = near
	panic(e)
}

func (p *parser) decimalType(t token) column.Type {
	if !p.symbol("(") {
		return column.DecimalOf(10, 0)
	}
	open := p.toks[p.i-1]
	precision, scale := p.integerToken(), 0
	if p.symbol(",") {
		scale = p.integerToken()
	}
	p.closing(")", open)
	if precision < 1 || precision > 38 || scale > precision {
		panic(p.errorAt(t, "INVALID_DECIMAL_TYPE", "42K0E", "decimal(%d,%d) is not a type: the precision is 1 to 38, the scale at most the precision.", precision, scale))
	}
	return column.DecimalOf(precision, scale)
}

// timeType is TIME, TIME(precision) or TIME WITHOUT TIME ZONE.
func (p *parser) timeType(t token) column.Type {
	precision := column.MaxTimePrecision
	if p.symbol("(") {
		open := p.toks[p.i-1]
		precision = p.integerToken()
		p.closing(")", open)
	}
	if precision > column.MaxTimePrecision {
		panic(p.errorAt(t, "UNSUPPORTED_TIME_PRECISION", "0A001", "The seconds precision %d of the TIME data type is out of the supported range [0, 6].", precision).
			With("precision", strconv.Itoa(precision)))
	}
	p.accept("WITHOUT", "TIME", "ZONE")
	return column.TimeOf(precision)
}

// integerToken takes a whole number.
func (p *parser) integerToken() int {
	t := p.peek()
	n, err := strconv.Atoi(t.val)
	if t.kind != number || err != nil {
		p.expected("number")
		p.fail()
	}
	p.take()
	return n
}

func (p *parser) openAngle() { p.needSymbol("<") }

// closeAngle takes >, splitting >> and >= >>> as nested types need.
func (p *parser) closeAngle() {
	t := &p.toks[p.i]
	if t.kind == op && len(t.raw) > 1 && t.raw[0] == '>' && t.raw != ">=" {
		t.raw, t.off, t.pos.Col = t.raw[1:], t.off+1, t.pos.Col+1
		return
	}
	p.needSymbol(">")
}

func (p *parser) structType() column.Type {
	if p.peek().raw == "<>" {
		p.take()
		return column.StructOf()
	}
	p.openAngle()
	var fields []column.Field
	for !p.atSymbol(">") {
		f := column.Field{Name: p.name("field name"), Nullable: true}
		p.symbol(":")
		f.Type = p.dataType()
		if p.accept("NOT", "NULL") {
			f.Nullable = false
		}
		p.comment()
		fields = append(fields, f)
		if !p.symbol(",") {
			break
		}
	}
	p.closeAngle()
	return column.StructOf(fields...)
}

// comment is COMMENT 'text', which is dropped.
func (p *parser) comment() {
	if p.at("COMMENT") && p.ahead(1).kind == text {
		p.take()
		p.str()
	}
}

func (p *parser) intervalType() column.Type {
	t := p.peek()
	if _, unit := column.ParseIntervalUnit(t.raw); t.kind != word || !unit {
		return column.Of(column.Calendar)
	}
	from, _ := column.ParseIntervalUnit(p.name("unit"))
	to := from
	ok := true
	if p.accept("TO") {
		to, ok = column.ParseIntervalUnit(p.name("unit"))
	}
	typ, valid := column.IntervalOf(from, to)
	if !ok || !valid {
		panic(p.errorAt(t, "UNSUPPORTED_DATATYPE", "0A000", "There is no such interval type.").WithFix("Write INTERVAL YEAR TO MONTH or INTERVAL DAY TO SECOND, or a part of one."))
	}
	return typ
}
