package column

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/streamflow/streamflow/internal/usererr"
)

// ParseDDL reads a schema: "a INT, b ARRAY<STRING> NOT NULL COMMENT 'x', `odd name` STRUCT<x: INT>". Errors are
// *usererr.Error with the column of the text at which reading stopped.
func ParseDDL(s string) (*Schema, error) {
	p := ddlParser{text: s}
	fields, err := p.fields(false, 0)
	if err == nil && p.next() != "" {
		err = p.fail("a comma or the end of the schema")
	}
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	for _, f := range fields {
		if low := strings.ToLower(f.Name); seen[low] {
			return nil, usererr.New("COLUMN_ALREADY_EXISTS", "42711", "The column `%s` is declared twice.", f.Name)
		} else {
			seen[low] = true
		}
	}
	return &Schema{Fields: fields}, nil
}

// ParseType reads one type in DDL form, such as DECIMAL(10,2) or MAP<STRING, INT>.
func ParseType(s string) (Type, error) {
	p := ddlParser{text: s}
	t, err := p.typ(0)
	if err == nil && p.next() != "" {
		err = p.fail("the end of the type")
	}
	return t, err
}

// ddlParser is a recursive-descent parser whose tokens are words, quoted names and single characters.
type ddlParser struct {
	text   string
	at     int    // end of tok
	start  int    // start of tok
	tok    string // the token looked at, "" at the end
	quoted bool   // tok was a quoted name or string
	ready  bool   // tok is set
	bad    bool   // a quote is not closed
}

// next looks at the next token.
func (p *ddlParser) next() string {
	if p.ready {
		return p.tok
	}
	for p.at < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	p.start, p.ready, p.quoted, p.tok = p.at, true, false, ""
	if p.at == len(p.text) {
		return ""
	}
	switch c := p.text[p.at]; {
	case c == '`' || c == '\'' || c == '"':
		p.quote(c)
	case isWordByte(c):
		for p.at < len(p.text) && isWordByte(p.text[p.at]) {
			p.at++
		}
		p.tok = p.text[p.start:p.at]
	default:
		p.at++
		p.tok = p.text[p.start:p.at]
	}
	return p.tok
}

func isWordByte(c byte) bool {
	return c == '_' || c-'0' <= 9 || c|0x20 >= 'a' && c|0x20 <= 'z' || c >= utf8.RuneSelf
}

// quote reads a quoted token; a doubled quote stands for one.
func (p *ddlParser) quote(c byte) {
	var b strings.Builder
	p.quoted = true
	for i := p.at + 1; i < len(p.text); i++ {
		if p.text[i] == c {
			if i+1 < len(p.text) && p.text[i+1] == c {
				i++
			} else {
				p.at, p.tok = i+1, b.String()
				return
			}
		}
		b.WriteByte(p.text[i])
	}
	p.at, p.tok, p.bad = len(p.text), b.String(), true
}

func (p *ddlParser) advance() { p.ready = false }

// accept takes the next token when it is the word or character.
func (p *ddlParser) accept(word string) bool {
	if tok := p.next(); !p.quoted && strings.EqualFold(tok, word) && tok != "" {
		p.advance()
		return true
	}
	return false
}

func (p *ddlParser) fail(want string) error {
	found := "the end of the text"
	if tok := p.next(); tok != "" || p.quoted {
		found = "'" + tok + "'"
	}
	err := usererr.New("PARSE_SYNTAX_ERROR", "42601", "A schema needs %s here, but there is %s.", want, found)
	err.Text = p.text
	line := 1 + strings.Count(p.text[:p.start], "\n")
	col := utf8.RuneCountInString(p.text[strings.LastIndexByte(p.text[:p.start], '\n')+1:p.start]) + 1
	return err.At(line, col).WithFix(`Write it as "name TYPE, other TYPE NOT NULL".`)
}

// fields reads members up to the end of the text or, in a struct, up to '>'.
func (p *ddlParser) fields(inStruct bool, depth int) ([]Field, error) {
	var out []Field
	if p.next() == "" && !p.quoted && !inStruct || inStruct && p.next() == ">" {
		return out, nil
	}
	for {
		f, err := p.field(depth)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
		if !p.accept(",") {
			return out, nil
		}
	}
}

func (p *ddlParser) field(depth int) (Field, error) {
	name := p.next()
	if name == "" || p.bad || !p.quoted && !isWordByte(name[0]) || p.quoted && p.text[p.start] != '`' {
		return Field{}, p.fail("a column name")
	}
	p.advance()
	p.accept(":")
	t, err := p.typ(depth)
	if err != nil {
		return Field{}, err
	}
	f := Field{Name: name, Type: t, Nullable: true}
	if p.accept("NOT") {
		if !p.accept("NULL") {
			return Field{}, p.fail("NULL after NOT")
		}
		f.Nullable = false
	} else {
		p.accept("NULL")
	}
	if p.accept("COMMENT") {
		if p.next(); !p.quoted || p.bad {
			return Field{}, p.fail("a quoted comment")
		}
		p.advance()
	}
	return f, nil
}

var typeNames = map[string]Type{
	"BOOLEAN": Of(Bool), "BOOL": Of(Bool), "TINYINT": Of(Int8), "BYTE": Of(Int8), "SMALLINT": Of(Int16), "SHORT": Of(Int16),
	"INT": Of(Int32), "INTEGER": Of(Int32), "BIGINT": Of(Int64), "LONG": Of(Int64), "FLOAT": Of(Float32), "REAL": Of(Float32),
	"DOUBLE": Of(Float64), "DATE": Of(Date), "TIMESTAMP": Of(Timestamp), "TIMESTAMP_LTZ": Of(Timestamp),
	"TIMESTAMP_NTZ": Of(TimestampNTZ), "STRING": Of(String), "BINARY": Of(Binary), "VOID": Of(Null), "VARIANT": Of(Variant),
	"VARCHAR": Of(String), "CHAR": Of(String), "CHARACTER": Of(String),
}

func (p *ddlParser) typ(depth int) (Type, error) {
	word := strings.ToUpper(p.next())
	if word == "" || p.quoted || depth > maxDepth {
		return Type{}, p.fail("a type")
	}
	switch word {
	case "ARRAY", "MAP", "STRUCT":
		p.advance()
		return p.nested(word, depth+1)
	case "DECIMAL", "DEC", "NUMERIC":
		p.advance()
		return p.decimal()
	case "INTERVAL":
		p.advance()
		return p.interval()
	case "TIME":
		p.advance()
		return p.time()
	}
	t, ok := typeNames[word]
	if !ok {
		return Type{}, p.fail("a type such as INT, STRING or ARRAY<STRING>")
	}
	p.advance()
	if strings.HasSuffix(word, "CHAR") || word == "CHARACTER" {
		if p.accept("(") {
			if _, err := p.number(1 << 30); err != nil {
				return Type{}, err
			}
			if !p.accept(")") {
				return Type{}, p.fail("')'")
			}
		}
	}
	return t, nil
}

func (p *ddlParser) number(limit int) (int, error) {
	n, err := strconv.Atoi(p.next())
	if err != nil || n < 0 || n > limit || p.quoted {
		return 0, p.fail("a number up to " + strconv.Itoa(limit))
	}
	p.advance()
	return n, nil
}

func (p *ddlParser) decimal() (Type, error) {
	if !p.accept("(") {
		return DecimalOf(10, 0), nil
	}
	precision, err := p.number(MaxPrecision)
	if err != nil {
		return Type{}, err
	}
	scale := 0
	if p.accept(",") {
		if scale, err = p.number(precision); err != nil {
			return Type{}, err
		}
	}
	if precision == 0 || !p.accept(")") {
		return Type{}, p.fail("')' after a precision from 1 to 38")
	}
	return DecimalOf(precision, scale), nil
}

// time is TIME or TIME(precision).
func (p *ddlParser) time() (Type, error) {
	if !p.accept("(") {
		if p.accept("WITHOUT") && (!p.accept("TIME") || !p.accept("ZONE")) {
			return Type{}, p.fail("TIME ZONE after WITHOUT")
		}
		return TimeOf(MaxTimePrecision), nil
	}
	precision, err := p.number(MaxTimePrecision)
	if err != nil {
		return Type{}, err
	}
	if !p.accept(")") {
		return Type{}, p.fail("')'")
	}
	return TimeOf(precision), nil
}

// interval is what follows the word: units, or nothing for an interval of the calendar.
func (p *ddlParser) interval() (Type, error) {
	from, ok := ParseIntervalUnit(p.next())
	if !ok || p.quoted {
		return Of(Calendar), nil
	}
	p.advance()
	to := from
	if p.accept("TO") {
		if to, ok = ParseIntervalUnit(p.next()); !ok || p.quoted {
			return Type{}, p.fail("the smaller unit of the interval")
		}
		p.advance()
	}
	t, ok := IntervalOf(from, to)
	if !ok {
		return Type{}, p.fail("units of one interval, such as DAY TO SECOND")
	}
	return t, nil
}

func (p *ddlParser) nested(word string, depth int) (t Type, err error) {
	if !p.accept("<") {
		return Type{}, p.fail("'<'")
	}
	switch word {
	case "ARRAY":
		var elem Type
		if elem, err = p.typ(depth); err == nil {
			t = ListOf(elem, true)
		}
	case "MAP":
		t, err = p.mapType(depth)
	default:
		var fields []Field
		if fields, err = p.fields(true, depth); err == nil {
			t = StructOf(fields...)
		}
	}
	if err == nil && !p.accept(">") {
		err = p.fail("'>'")
	}
	return t, err
}

func (p *ddlParser) mapType(depth int) (Type, error) {
	key, err := p.typ(depth)
	if err != nil {
		return Type{}, err
	}
	if !p.accept(",") {
		return Type{}, p.fail("',' between the types of keys and values")
	}
	value, err := p.typ(depth)
	return MapOf(key, value, true), err
}
