package streamflow

import (
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// An unmodified PySpark client works on a node: testdata/pyspark/node.py. The test needs a Python with the package
// pyspark-client (or pyspark); STREAMFLOW_PYTHON may name one, scripts/foreign-clients.sh installs one.
func TestPySparkOnANode(t *testing.T) {
	python := os.Getenv("STREAMFLOW_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import pyspark, pandas, pyarrow, grpc").CombinedOutput(); err != nil {
		t.Skipf("skipped: %s has no PySpark (%s)", python, strings.TrimSpace(lastLine(string(out))))
	}
	n, err := Start(Config{Dir: t.TempDir(), Slots: 2, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go n.ServeConnect(l)
	out, err := exec.Command(python, "testdata/pyspark/node.py", "sc://"+l.Addr().String()).CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(out)), "ok") {
		t.Fatalf("%v\n%s", err, out)
	}
	streams, err := exec.Command(python, "testdata/pyspark/streams.py", "sc://"+l.Addr().String()).CombinedOutput()
	if err != nil || !strings.HasSuffix(strings.TrimSpace(string(streams)), "ok") {
		t.Fatalf("streams: %v\n%s", err, streams)
	}
	for _, want := range []string{"|one|letter|", "|  1|     x|"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("show() printed no %q:\n%s", want, out)
		}
	}
}

func lastLine(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	return lines[len(lines)-1]
}
