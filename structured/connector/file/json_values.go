package file

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// jsonValues are the objects of a file that is one array of them, or one value after the other. What is no JSON ends the file,
// as one text that cannot be read.
type jsonValues struct {
	path  string
	in    *opened
	d     *json.Decoder
	array bool
	done  bool
	n     int
	raw   json.RawMessage
}

func openValues(path string) (*jsonValues, error) {
	in, err := openText(path, 0)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(in, 256<<10)
	v := &jsonValues{path: path, in: in, d: json.NewDecoder(r)}
	for {
		c, err := r.ReadByte()
		if err == io.EOF {
			v.done = true
			return v, nil
		}
		if err != nil {
			return nil, errors.Join(fmt.Errorf("file: %s: %w", path, err), in.close())
		}
		if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
			continue
		}
		v.array = c == '['
		if err := r.UnreadByte(); err != nil {
			return nil, errors.Join(fmt.Errorf("file: %s: %w", path, err), in.close())
		}
		if v.array {
			_, err = v.d.Token()
		}
		return v, err
	}
}

func (v *jsonValues) next() ([]byte, error) {
	if v.done || v.array && !v.d.More() {
		return nil, io.EOF
	}
	v.n++
	v.raw = v.raw[:0]
	switch err := v.d.Decode(&v.raw); {
	case err == io.EOF:
		v.done = true
		return nil, io.EOF
	case err != nil:
		v.done = true
		var syntax *json.SyntaxError
		if !errors.As(err, &syntax) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("file: %s: %w", v.path, err)
		}
		return []byte(fmt.Sprintf("(value %d: %v)", v.n, err)), nil
	}
	return v.raw, nil
}

func (v *jsonValues) place() (string, int) { return v.path, v.n }
func (v *jsonValues) close() error         { return v.in.close() }
