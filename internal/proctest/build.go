package proctest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var (
	binMu  sync.Mutex
	binDir string
	built  = map[string]error{}
)

// Main runs a package's tests and removes what Program has built. Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if binDir != "" {
		os.RemoveAll(binDir)
	}
	os.Exit(code)
}

// Program builds cmd/<name> and returns the path of the program.
func Program(t testing.TB, name string) string {
	t.Helper()
	binMu.Lock()
	defer binMu.Unlock()
	if binDir == "" {
		dir, err := os.MkdirTemp("", "streamflow-bin-")
		if err != nil {
			t.Fatal(err)
		}
		binDir = dir
	}
	path := filepath.Join(binDir, name)
	if _, ok := built[name]; !ok {
		built[name] = build(name, path)
	}
	if err := built[name]; err != nil {
		t.Fatal(err)
	}
	return path
}

func build(name, path string) error {
	cmd := exec.Command("go", "build", "-o", path, "github.com/streamflow/streamflow/cmd/"+name)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("go build %s: %w\n%s", name, err, out)
	}
	return nil
}
