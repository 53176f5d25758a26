package driver_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/executor"
)

// damage flips a bit in the middle of every data file of the executor.
func damage(t *testing.T, x *executor.Executor) {
	err := filepath.WalkDir(x.Dir(), func(path string, d fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".data") {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		b[len(b)/2] ^= 0x10
		return os.WriteFile(path, b, 0o644)
	})
	if err != nil {
		t.Error(err)
	}
}
