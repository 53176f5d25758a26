package meta

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCheck damages each file of a metadata log, and requires that the damage is found and the file is named.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, &journal{name: "counter"})
	for range 50 {
		apply(t, n, "counter", "one")
	}
	if err := n.Snapshot(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		apply(t, n, "counter", "some more")
	}
	if _, err := Check(dir); err == nil || !strings.Contains(err.Error(), "DATA_DIR_LOCKED") {
		t.Errorf("a live directory: %v", err)
	}
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	if c, err := Check(dir); err != nil || len(c.Problems) != 0 || c.Snapshots != 1 || c.Entries < 20 {
		t.Fatalf("sound: %+v, %v", c, err)
	}
	for _, d := range []struct{ file, in string }{
		{"raft.db", "some more"}, {"raft.journal", "some more"}, {"snapshots/*/state.bin", "counter"}, {"snapshots/*/meta.json", "Size"},
	} {
		to := filepath.Join(t.TempDir(), "meta")
		if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		list, _ := filepath.Glob(filepath.Join(to, d.file))
		b, err := os.ReadFile(list[0])
		if err != nil {
			t.Fatal(err)
		}
		at := strings.Index(string(b), d.in)
		if at < 0 {
			t.Fatalf("%s does not hold %q", d.file, d.in)
		}
		b[at] ^= 1
		if err := os.WriteFile(list[0], b, 0o644); err != nil {
			t.Fatal(err)
		}
		c, err := Check(to)
		if err != nil || len(c.Problems) == 0 || filepath.Dir(c.Problems[0].File) != filepath.Dir(list[0]) {
			t.Errorf("%s: %+v, %v", d.file, c, err)
		}
	}
}
