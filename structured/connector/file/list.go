package file

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// list finds the files of a table under its paths, in order of name. A directory is searched through; manifests decide
// about the files that we wrote ourselves.
func list(paths []string) ([]entry, error) {
	var out []entry
	for _, p := range paths {
		matches, err := expandGlob(p)
		if err != nil {
			return nil, err
		}
		for _, m := range matches {
			files, err := under(m)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		}
	}
	slices.SortFunc(out, func(a, b entry) int { return strings.Compare(a.path, b.path) })
	return slices.CompactFunc(out, func(a, b entry) bool { return a.path == b.path }), nil
}

func expandGlob(p string) ([]string, error) {
	p = strings.TrimPrefix(p, "file://")
	if !strings.ContainsAny(p, "*?[") {
		if _, err := os.Stat(p); errors.Is(err, fs.ErrNotExist) {
			return nil, notFound(p)
		}
		return []string{p}, nil
	}
	m, err := filepath.Glob(p)
	if err != nil {
		return nil, usererr.New("INVALID_OPTION", "42616", "The pattern %q cannot be read: %v.", p, err)
	}
	if len(m) == 0 {
		return nil, notFound(p)
	}
	return m, nil
}

func notFound(p string) error {
	return usererr.New("PATH_NOT_FOUND", "42K03", "There is no file or directory %s.", p).WithFix("Check the path; it is read on the server's machine.").With("path", p)
}

// under are the files of a directory, or the file itself.
func under(p string) ([]entry, error) {
	info, err := os.Stat(p)
	if err != nil {
		return nil, fmt.Errorf("file: list %s: %w", p, err)
	}
	if !info.IsDir() {
		return []entry{{path: p, size: info.Size()}}, nil
	}
	committed, err := readManifests(p)
	if err != nil {
		return nil, err
	}
	var out []entry
	err = filepath.WalkDir(p, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if path != p && (strings.HasPrefix(name, "_") || strings.HasPrefix(name, ".")) {
			if d.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		if d.IsDir() {
			return nil
		}
		rel, err := filepath.Rel(p, path)
		if err != nil || committed.replaced(rel) {
			return err
		}
		info, err := d.Info()
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		out = append(out, entry{path, info.Size(), dirValues(rel)})
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("file: list %s: %w", p, err)
	}
	return append(out, committed.unnamed(p, out)...), nil
}
