package file

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// csvField is one field of a record.
type csvField struct {
	text   []byte
	quoted bool
}

// csvRecords cuts lines into fields. Fields are valid until the next record.
type csvRecords struct {
	lines  *lineReader
	opt    Options
	fields []csvField
	line   []byte // a record of several lines
	raw    []byte // the record as it stands in the file
	buf    []byte // fields whose quotes or escapes had to be taken out
}

// openRecords reads a whole file.
func openRecords(path string, opt Options) (*csvRecords, error) {
	data, err := json.Marshal(span{Path: path, To: -1})
	if err != nil {
		return nil, fmt.Errorf("file: %w", err)
	}
	lines, err := openLines(data)
	if err != nil {
		return nil, err
	}
	return &csvRecords{lines: lines, opt: opt}, nil
}

// next is the next record; empty lines are no records.
func (r *csvRecords) next() ([]csvField, error) {
	for {
		line, err := r.lines.next()
		if err != nil {
			return nil, err
		}
		if len(line) == 0 || r.opt.Comment != "" && line[0] == r.opt.Comment[0] {
			continue
		}
		r.raw = line
		open := r.split(line)
		if !open || !r.opt.MultiLine {
			return r.fields, nil
		}
		r.line = append(r.line[:0], line...)
		for open {
			more, err := r.lines.next()
			if err == io.EOF {
				return r.fields, nil
			}
			if err != nil {
				return nil, err
			}
			r.line = append(append(r.line, '\n'), more...)
			r.raw = r.line
			open = r.split(r.line)
		}
		return r.fields, nil
	}
}

// split cuts a record into fields and reports whether it ended inside quotes.
func (r *csvRecords) split(line []byte) (open bool) {
	r.fields, r.buf = r.fields[:0], r.buf[:0]
	sep, quote := r.opt.Sep[0], r.opt.quote()
	for {
		if quote != 0 && len(line) > 0 && line[0] == quote {
			rest, more, unclosed := r.quoted(line[1:], sep, quote)
			if !more {
				return unclosed
			}
			line = rest
			continue
		}
		i := bytes.IndexByte(line, sep)
		if i < 0 {
			r.fields = append(r.fields, csvField{text: r.trimmed(line)})
			return false
		}
		r.fields = append(r.fields, csvField{text: r.trimmed(line[:i])})
		line = line[i+1:]
	}
}

// trimmed is a field that is not quoted without the spaces that the options leave out.
func (r *csvRecords) trimmed(field []byte) []byte {
	if r.opt.TrimLeft {
		field = bytes.TrimLeft(field, " \t")
	}
	if r.opt.TrimRight {
		field = bytes.TrimRight(field, " \t")
	}
	return field
}

// quoted reads a field after its opening quote. more tells whether another field follows in rest.
func (r *csvRecords) quoted(line []byte, sep, quote byte) (rest []byte, more, open bool) {
	escape := r.opt.escape()
	from := len(r.buf)
	open = true
	i := 0
	for ; i < len(line); i++ {
		c := line[i]
		switch {
		case escape != 0 && c == escape && i+1 < len(line) && (line[i+1] == quote || line[i+1] == escape):
			i++
			r.buf = append(r.buf, line[i])
			continue
		case c == quote && i+1 < len(line) && line[i+1] == quote:
			i++
			r.buf = append(r.buf, quote)
			continue
		case c == quote:
			open = false
		default:
			r.buf = append(r.buf, c)
			continue
		}
		break
	}
	// What stands between the closing quote and the separator belongs to the field, as Spark reads it.
	tail := line[min(i+1, len(line)):]
	end := bytes.IndexByte(tail, sep)
	if open {
		end = -1
	}
	if end < 0 {
		r.buf = append(r.buf, tail...)
	} else {
		r.buf = append(r.buf, tail[:end]...)
	}
	r.fields = append(r.fields, csvField{text: r.buf[from:len(r.buf):len(r.buf)], quoted: true})
	if end < 0 {
		return nil, false, open
	}
	return tail[end+1:], true, false
}

func (r *csvRecords) close() error { return r.lines.close() }
