package tpch

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Queries is how many queries there are.
const Queries = 22

// Query reads the n-th query of a directory, with the validation parameters of clause 2.4, for a scale.
func Query(dir string, n int, s Scale) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, fmt.Sprintf("q%d.sql", n)))
	if err != nil {
		return "", fmt.Errorf("tpch: %w", err)
	}
	return strings.ReplaceAll(string(text), "{fraction}", strconv.FormatFloat(0.0001/float64(s), 'f', -1, 64)), nil
}
