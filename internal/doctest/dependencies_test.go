package doctest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestDependencies wants a line in docs/dependencies.md for each module that the code imports, and none for others.
func TestDependencies(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "docs/dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		listed[m[1]] = true
	}
	for _, m := range slices.Sorted(maps.Keys(modules(t))) {
		if !listed[m] {
			t.Errorf("docs/dependencies.md does not say what %s is for", m)
		}
		delete(listed, m)
	}
	for m := range listed {
		t.Errorf("docs/dependencies.md lists %s, which nothing imports", m)
	}
}

// modules are the modules that the code imports directly.
func modules(t *testing.T) map[string]bool {
	t.Helper()
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	var required []string
	for _, m := range regexp.MustCompile(`(?m)^\t([a-z][^ ]+) v`).FindAllStringSubmatch(string(mod), -1) {
		required = append(required, m[1])
	}
	used := map[string]bool{}
	for path := range imported(t) {
		best := ""
		for _, m := range required {
			if (path == m || strings.HasPrefix(path, m+"/")) && len(m) > len(best) {
				best = m
			}
		}
		if best != "" {
			used[best] = true
		}
	}
	return used
}

// imported are the paths that Go files of the module import, tests included.
func imported(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != root && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, s := range f.Imports {
			all[strings.Trim(s.Path.Value, `"`)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
