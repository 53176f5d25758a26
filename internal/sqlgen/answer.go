package sqlgen

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
)

// Answer is a query in Spark's words and what DuckDB answers.
type Answer struct {
	Name  string      `json:"name"`
	SQL   string      `json:"sql"`
	Types []string    `json:"types"`
	Rows  [][]*string `json:"rows"`
}

// Save writes answers, one a line, compressed.
func Save(path string, list []Answer) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("sqlgen: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("sqlgen: %w", err)
	}
	out := json.NewEncoder(z)
	out.SetEscapeHTML(false)
	for _, a := range list {
		if err := out.Encode(a); err != nil {
			return fmt.Errorf("sqlgen: %w", err)
		}
	}
	return z.Close()
}

// Load reads what Save wrote.
func Load(path string) (list []Answer, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("sqlgen: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("sqlgen: %s: %w", path, err)
	}
	in := json.NewDecoder(z)
	for {
		var a Answer
		if err := in.Decode(&a); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("sqlgen: %s: %w", path, err)
		}
		list = append(list, a)
	}
}
