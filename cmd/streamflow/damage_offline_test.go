package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/internal/proctest"
	"github.com/streamflow/streamflow/logstore"
)

// TestDamagedPartitionKeepsNoNodeFromStarting kills a node, damages a segment that the write-ahead log goes on from so that it
// cannot be opened, and starts the node. Others serve; the partition is offline, and comes back whole with its segment.
func TestDamagedPartitionKeepsNoNodeFromStarting(t *testing.T) {
	n := proctest.NewNode(t)
	n.Start()
	fill(t, n, "damaged", `{"n":1}`, `{"n":2}`)
	fill(t, n, "sound", `{"n":1}`)
	n.Stop()
	n.Start()
	fill(t, n, "damaged", `{"n":3}`)
	n.Kill()
	dir := filepath.Join(n.DataDir(), "log/topics/damaged/0")
	file := filepath.Join(dir, "00000000000000000000.log")
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	damage(t, file, `{"n":2}`)
	for _, ext := range []string{".index", ".timeindex"} {
		if err := os.Remove(filepath.Join(dir, "00000000000000000000"+ext)); err != nil {
			t.Fatal(err)
		}
	}
	r := n.Command("streamflow", "verify", n.DataDir(), "-o", "json").Run(t)
	var report struct {
		Sound    bool
		Findings []logstore.Finding
	}
	if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil || r.Code != 1 || report.Sound || !names(report.Findings, file) {
		t.Errorf("verify: code %d, %v, %s %s", r.Code, err, r.Stdout, r.Stderr)
	}
	n.Start()
	if got := n.Command("streamflow", "consume", "sound", "--end").Must(t).Stdout; got != `{"n":1}`+"\n" {
		t.Errorf("the sound topic holds %q", got)
	}
	if !strings.Contains(n.Log(), "replica is damaged") || !strings.Contains(n.Log(), file) {
		t.Errorf("the node's log does not tell of the damage:\n%s", n.Log())
	}
	r = n.Command("streamflow", "topic", "segments", "damaged", "--http", n.HTTP).Must(t)
	if !strings.Contains(r.Stderr, "partition 0 is damaged") {
		t.Errorf("topic segments: %s %s", r.Stdout, r.Stderr)
	}
	n.Stop()
	if err := os.WriteFile(file, whole, 0o644); err != nil {
		t.Fatal(err)
	}
	n.Start()
	if got := n.Command("streamflow", "consume", "damaged", "--end").Run(t); got.Stdout != "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n" {
		t.Errorf("the restored topic holds %q, %s", got.Stdout, got.Stderr)
	}
	n.Stop()
	if r := n.Command("streamflow", "verify", n.DataDir()).Run(t); r.Code != 0 || !strings.Contains(r.Stdout, "sound") {
		t.Errorf("verify at the end: %s %s", r.Stdout, r.Stderr)
	}
}

func names(list []logstore.Finding, file string) bool {
	for _, f := range list {
		if f.Severity == logstore.Damaged && f.File == file {
			return true
		}
	}
	return false
}
