package cached

import (
	"os"
	"testing"

	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

// room is an account with so many bytes.
type room struct{ left int64 }

func (r *room) Reserve(n int64) bool {
	if n > r.left {
		return false
	}
	r.left -= n
	return true
}
func (r *room) Release(n int64) { r.left += n }

// TestSource: a table reads the same from memory, from disk and from both, and gives everything back.
func TestSource(t *testing.T) {
	for _, limit := range []int64{0, 20_000, 1 << 30} {
		account, dir := &room{limit}, t.TempDir()
		b := NewBuilder("t", "cache", nil, connectortest.Schema, account, dir)
		const n = 1000
		for from := 0; from < n; from += 50 {
			if err := b.Append(connectortest.Rows(from, 50)); err != nil {
				t.Fatal(err)
			}
		}
		table, err := b.Finish()
		if err != nil {
			t.Fatal(err)
		}
		connectortest.Source(t, table, n, nil)
		if table.Memory() != limit-account.left || limit == 0 && table.Memory() > 0 || limit == 1<<30 && table.Disk() > 0 || limit == 20_000 && (table.Memory() == 0 || table.Disk() == 0) {
			t.Errorf("of a limit of %d bytes the table holds %d in memory and %d on disk", limit, table.Memory(), table.Disk())
		}
		if err := table.Drop(); err != nil {
			t.Fatal(err)
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 || account.left != limit {
			t.Errorf("%d files and %d bytes are left behind (%v)", len(left), limit-account.left, err)
		}
	}
}

// TestAbandon: an unfinished table gives back what it took.
func TestAbandon(t *testing.T) {
	account, dir := &room{5000}, t.TempDir()
	b := NewBuilder("t", "cache", nil, connectortest.Schema, account, dir)
	for from := 0; from < 200; from += 50 {
		if err := b.Append(connectortest.Rows(from, 50)); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Abandon(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 || account.left != 5000 {
		t.Errorf("%d files and %d bytes are left behind (%v)", len(left), 5000-account.left, err)
	}
}

// FuzzSplit: damaged splits give an error, never more.
func FuzzSplit(f *testing.F) {
	f.Add([]byte{inMemory, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3})
	f.Add([]byte{onDisk, 0, 0})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > diskSplit && data[0] == onDisk {
			t.Skip("a path of the machine")
		}
		r := &reader{s: &Scan{Schema: connectortest.Schema}}
		if _, err := r.chunk(data); err == nil && data[0] != inMemory {
			t.Error("a split of no kind was read")
		}
	})
}
