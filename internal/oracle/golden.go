package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
)

// Load reads an answer that Save wrote: a JSON object in the first line with columns and types, then one array a row.
func Load(path string) (r Result, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return r, fmt.Errorf("oracle: %w", err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	if err := d.Decode(&r); err != nil {
		return r, fmt.Errorf("oracle: %s: %w", path, err)
	}
	for d.More() {
		var row []*string
		if err := d.Decode(&row); err != nil {
			return r, fmt.Errorf("oracle: %s: %w", path, err)
		}
		r.Rows = append(r.Rows, row)
	}
	return r, nil
}

// Save writes an answer, one row a line.
func Save(path string, r Result) error {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	out.SetEscapeHTML(false)
	if err := out.Encode(map[string][]string{"columns": r.Columns, "types": r.Types}); err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	for _, row := range r.Rows {
		if err := out.Encode(row); err != nil {
			return fmt.Errorf("oracle: %w", err)
		}
	}
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	return nil
}
