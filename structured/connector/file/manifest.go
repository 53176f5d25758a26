package file

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// manifestDir is where a table's manifests lie, inside its directory.
const manifestDir = "_streamflow"

// manifest is one committed batch of files.
//
//	streamflow-manifest 1 <crc32c of the body, hex> <length of the body>\n
//	body, JSON
type manifest struct {
	Seq     int64    `json:"seq"` // order of commits in this directory, from 1
	Write   string   `json:"write"`
	Batch   int64    `json:"batch"`
	Replace bool     `json:"replace"` // files of earlier commits, and those not ours, are no longer part of the table
	Gone    []string `json:"gone,omitempty"`
	Files   []staged `json:"files"`
}

// staged is a file of a batch. It is also the sink's token, one for each task that had rows.
type staged struct {
	Name   string `json:"name"`
	Staged string `json:"staged"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (m *manifest) encode() ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	return append(fmt.Appendf(nil, "streamflow-manifest 1 %08x %d\n", crc32.Checksum(body, castagnoli), len(body)), body...), nil
}

func decodeManifest(data []byte) (*manifest, error) {
	head, body, ok := bytes.Cut(data, []byte("\n"))
	var version, length int
	var sum uint32
	if _, err := fmt.Sscanf(string(head), "streamflow-manifest %d %x %d", &version, &sum, &length); err != nil || !ok {
		return nil, errors.New("it is no manifest")
	}
	if version != 1 {
		return nil, fmt.Errorf("version %d is newer than this program", version)
	}
	if len(body) != length || crc32.Checksum(body, castagnoli) != sum {
		return nil, errors.New("its checksum differs")
	}
	m := &manifest{}
	return m, json.Unmarshal(body, m)
}

func manifestName(write string, batch int64) string {
	return fmt.Sprintf("%s-%020d.manifest", write, batch)
}

// commits are the manifests of a directory in the order of their commits.
type commits []*manifest

func readManifests(dir string) (commits, error) {
	names, err := os.ReadDir(filepath.Join(dir, manifestDir))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("file: read manifests: %w", err)
	}
	var out commits
	for _, n := range names {
		if !strings.HasSuffix(n.Name(), ".manifest") {
			continue
		}
		path := filepath.Join(dir, manifestDir, n.Name())
		data, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("file: read manifest: %w", err)
		}
		m, err := decodeManifest(data)
		if err != nil {
			return nil, usererr.New("DAMAGED_MANIFEST", "58030", "A manifest of the table cannot be read: %v.", err).In(path)
		}
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b *manifest) int { return int(min(1, max(-1, a.Seq-b.Seq))) })
	return out, nil
}

// replaced reports whether a later commit took the file out of the table.
func (c commits) replaced(name string) bool {
	for _, m := range c {
		if slices.Contains(m.Gone, name) {
			return true
		}
	}
	return false
}

// unnamed are the files of commits that do not have their name yet: they are read under the staged one.
func (c commits) unnamed(dir string, named []entry) []entry {
	have := map[string]bool{}
	for _, e := range named {
		have[e.path] = true
	}
	var out []entry
	for _, m := range c {
		for _, f := range m.Files {
			if have[filepath.Join(dir, f.Name)] || c.replaced(f.Name) {
				continue
			}
			path := filepath.Join(dir, f.Staged)
			if info, err := os.Stat(path); err == nil {
				out = append(out, entry{path, info.Size(), dirValues(f.Name)})
			}
		}
	}
	return out
}

func (c commits) last() int64 {
	if len(c) == 0 {
		return 0
	}
	return c[len(c)-1].Seq
}
