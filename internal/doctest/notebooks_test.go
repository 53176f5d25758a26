package doctest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// fill makes the topic demo as scripts/demo-data.sh does, with fewer flights.
const fill = `streamflow topic create demo --partitions 4 --schema 'ts TIMESTAMP, delay INT, distance INT, origin STRING, destination STRING' \
	--config streamflow.key=origin --config streamflow.event.time=ts --config streamflow.watermark.delay.ms=14400000 --config retention.ms=-1
streamflow produce demo --file testdata/flights/flights.parquet --columns ts,delay,distance,origin,destination --key origin --max 30000`

// TestNotebooks runs the notebooks, one after the other, against one node.
func TestNotebooks(t *testing.T) {
	n := newNode(t, buildPrograms(t))
	n.serve(t, "streamflow serve --data-dir /tmp/tour/data")
	n.exports += "export STREAMFLOW_SERVER=" + n.real["127.0.0.1:15002"] + "\n"
	for _, script := range []string{fill, "sfsubmit sql -f notebooks/02_live.sql"} {
		if out, err := n.shell(script); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	code := cells(t, "notebooks/01_quickstart.ipynb")
	if python() == "" {
		t.Skip("skipped: no PySpark with Spark Connect (STREAMFLOW_PYTHON may name a Python that has it)")
	}
	out, err := n.shell(n.command(t, &block{lang: "python", lines: strings.Split(code, "\n")}))
	if err != nil || !strings.Contains(out, "late: window end") {
		t.Errorf("%v\n%s", err, out)
	}
}

// cells is the code of a notebook.
func cells(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	var nb struct {
		Cells []struct {
			Type   string   `json:"cell_type"`
			Source []string `json:"source"`
		} `json:"cells"`
	}
	if err := json.Unmarshal(b, &nb); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	var code strings.Builder
	for _, c := range nb.Cells {
		if c.Type == "code" {
			code.WriteString(strings.Join(c.Source, "") + "\n")
		}
	}
	return code.String()
}
