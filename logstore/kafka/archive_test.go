package kafka

import (
	"bytes"
	"io"
	"testing"

	"golang.org/x/tools/txtar"
	"rsc.io/script"
	"rsc.io/script/scripttest"
)

// runArchive unpacks a script's files and runs its commands.
func runArchive(t *testing.T, e *script.Engine, s *script.State, name string, r io.Reader) {
	t.Helper()
	data, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	a := txtar.Parse(data)
	if err := s.ExtractFiles(a); err != nil {
		t.Fatal(err)
	}
	scripttest.Run(t, e, s, name, bytes.NewReader(a.Comment))
}
