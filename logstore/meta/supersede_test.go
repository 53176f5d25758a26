package meta

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/hashicorp/raft"
)

func TestSnapshotSupersedesTheLog(t *testing.T) {
	for what, c := range map[string]struct {
		index, term uint64
		want        string // the log's entries as index.term
		base        uint64 // term of the entry where the snapshot ends
	}{
		"of the same past":       {8, 2, "1.1 2.1 3.1 4.1 5.1 6.2 7.2 8.2 9.2", 2},
		"behind the log's end":   {20, 3, "", 3},
		"against the log's end":  {9, 3, "", 3},
		"against a log's middle": {7, 3, "8.2 9.2", 3},
	} {
		s := openTestStore(t, t.TempDir())
		for i := range uint64(9) {
			if err := s.StoreLog(&raft.Log{Index: i + 1, Term: 1 + i/5}); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.supersede(c.index, c.term); err != nil {
			t.Fatal(err)
		}
		if got := contents(t, s); got != c.want {
			t.Errorf("%s: the log is %q, want %q", what, got, c.want)
		}
		var l raft.Log
		if err := s.GetLog(c.index, &l); err != nil || l.Term != c.base || l.Index != c.index {
			t.Errorf("%s: the base is %d of term %d, %v", what, l.Index, l.Term, err)
		}
		if err := s.GetLog(c.index+100, &l); !errors.Is(err, raft.ErrLogNotFound) {
			t.Errorf("%s: %v", what, err)
		}
		_ = s.Close()
	}
}

func contents(t *testing.T, s *store) (text string) {
	t.Helper()
	first, err1 := s.FirstIndex()
	last, err2 := s.LastIndex()
	if err := errors.Join(err1, err2); err != nil {
		t.Fatal(err)
	}
	for i := first; i <= last && last > 0; i++ {
		var l raft.Log
		if err := s.front.GetLog(i, &l); err != nil {
			t.Fatal(err)
		}
		if text != "" {
			text += " "
		}
		text += fmt.Sprintf("%d.%d", l.Index, l.Term)
	}
	return text
}

// A crash between the snapshot and the log leaves the rest to the next start.
func TestStartSettlesSnapshotAndLog(t *testing.T) {
	dir := t.TempDir()
	s := openTestStore(t, dir)
	defer s.Close()
	for i := range uint64(9) {
		if err := s.StoreLog(&raft.Log{Index: i + 1, Term: 1}); err != nil {
			t.Fatal(err)
		}
	}
	files, err := raft.NewFileSnapshotStoreWithLogger(dir, 2, raftLogger(slog.New(slog.DiscardHandler)))
	if err != nil {
		t.Fatal(err)
	}
	sink, err := files.Create(1, 20, 3, raft.Configuration{}, 1, nil)
	if err == nil {
		err = sink.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	snaps := snapshots{files, s}
	if err := snaps.settle(); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, s); got != "" {
		t.Errorf("the log is %q", got)
	}
	cancelled, err := snaps.Create(1, 500, 9, raft.Configuration{}, 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(cancelled.Cancel(), cancelled.Close()); err != nil {
		t.Fatal(err)
	}
	if b := s.base.Load(); b.Index != 20 {
		t.Errorf("a cancelled snapshot made %d the base", b.Index)
	}
}
