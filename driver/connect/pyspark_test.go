package connect

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// TestPySpark runs an unmodified PySpark client against the server. It needs a Python with pyspark[connect], which
// STREAMFLOW_PYTHON may name.
func TestPySpark(t *testing.T) {
	python := os.Getenv("STREAMFLOW_PYTHON")
	if python == "" {
		python = "python3"
	}
	if out, err := exec.Command(python, "-c", "import pyspark.sql.connect.session").CombinedOutput(); err != nil {
		t.Skipf("%s has no PySpark with Spark Connect (pip install 'pyspark[connect]==4.1.*'): %v %s", python, err, lastLine(out))
	}
	h := serve(t)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, python, "testdata/pyspark_check.py", "sc://"+h.addr, "--streams").CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

func lastLine(out []byte) string {
	for i := len(out) - 2; i >= 0; i-- {
		if out[i] == '\n' {
			return string(out[i+1:])
		}
	}
	return string(out)
}
