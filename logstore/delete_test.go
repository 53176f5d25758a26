package logstore

import (
	"path"
	"reflect"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/vfs"
)

// A topic that was deleted and made again leaves the end of its first life in the write-ahead log; its beginning is gone
// with its segments. That is no damage.
func TestRecreatedTopicRecovers(t *testing.T) {
	fs := vfs.NewMem()
	l := mustOpen(t, small(fs))
	p := mustEnsure(t, l, "t", smallConfig())
	mustAppend(t, p, batchOf(t, 1, "in a segment, and not in the log any more"))
	if err := l.checkpoint(false); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, p, batchOf(t, 1, "in the log"))
	if err := l.DeleteTopic("t"); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, mustEnsure(t, l, "t", smallConfig()), batchOf(t, 1, "new"))
	crashed := mustOpen(t, small(fs.Crash(nil)))
	if got := values(t, mustEnsure(t, crashed, "t", smallConfig()), false); !reflect.DeepEqual(got, []string{"0:new"}) {
		t.Errorf("the topic holds %v", got)
	}
	mustClose(t, crashed)
	mustClose(t, l)
}

// A node may die while it removes a deleted topic's files, in any order.
func TestUnfinishedDeletionRecovers(t *testing.T) {
	for _, gone := range []string{identityFile, "00000000000000000000.log"} {
		fs := vfs.NewMem()
		l := mustOpen(t, small(fs))
		p := mustEnsure(t, l, "t", smallConfig())
		mustAppend(t, p, batchOf(t, 1, strings.Repeat("x", 100)))
		if err := l.checkpoint(false); err != nil {
			t.Fatal(err)
		}
		mustAppend(t, p, batchOf(t, 1, "in the log"))
		if err := l.writeDelete("t"); err != nil {
			t.Fatal(err)
		}
		crash := fs.Crash(nil)
		if err := crash.Remove(path.Join("data", topicDir, "t", "0", gone)); err != nil {
			t.Fatal(err)
		}
		crashed := mustOpen(t, small(crash))
		if got := values(t, mustEnsure(t, crashed, "t", smallConfig()), false); len(got) != 0 {
			t.Errorf("without %s the deleted topic holds %v", gone, got)
		}
		mustClose(t, crashed)
		mustClose(t, l)
	}
}
