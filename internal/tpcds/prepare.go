package tpcds

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// Queries is how many queries there are.
const Queries = 99

// Tables are the names of the tables.
var Tables = strings.Fields(`call_center catalog_page catalog_returns catalog_sales customer customer_address customer_demographics date_dim
	household_demographics income_band inventory item promotion reason ship_mode store store_returns store_sales time_dim warehouse
	web_page web_returns web_sales web_site`)

// Unavailable says why there is no TPC-DS here.
type Unavailable struct{ Why string }

func (u *Unavailable) Error() string { return "no TPC-DS: " + u.Why }

// Python is the interpreter that $STREAMFLOW_PYTHON names, python3 otherwise.
func Python() string {
	if p := os.Getenv("STREAMFLOW_PYTHON"); p != "" {
		return p
	}
	return "python3"
}

// Prepare runs a script (testdata/tpcds/prepare.py) that fills dir with tables, queries and answers of a scale factor. A directory that is
// there is left as it is. The error is an *Unavailable where Python does not have what the script needs.
func Prepare(ctx context.Context, python, script, dir string, scale float64) error {
	if _, err := os.Stat(dir); err == nil {
		return nil
	}
	probe := exec.CommandContext(ctx, python, "-c", "import duckdb, importlib.metadata as m; m.files('duckdb-extension-tpcds')")
	if out, err := probe.CombinedOutput(); err != nil {
		return &Unavailable{fmt.Sprintf("%s has not the packages duckdb and duckdb-extension-tpcds: %s", python, lastLine(out))}
	}
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("tpcds: %w", err)
	}
	if out, err := exec.CommandContext(ctx, python, script, strconv.FormatFloat(scale, 'f', -1, 64), part).CombinedOutput(); err != nil {
		return fmt.Errorf("tpcds: %s: %w: %s", script, err, bytes.TrimSpace(out))
	}
	return os.Rename(part, dir)
}

func lastLine(out []byte) []byte {
	lines := bytes.Split(bytes.TrimSpace(out), []byte("\n"))
	return lines[len(lines)-1]
}

// Query reads the n-th query of a prepared directory.
func Query(dir string, n int) (string, error) {
	text, err := os.ReadFile(filepath.Join(dir, "queries", fmt.Sprintf("q%d.sql", n)))
	if err != nil {
		return "", fmt.Errorf("tpcds: %w", err)
	}
	return string(text), nil
}

// Answer is where the n-th query's answer lies.
func Answer(dir string, n int) string {
	return filepath.Join(dir, "answers", fmt.Sprintf("q%d.json", n))
}

// DDL is the statement that declares a table of a prepared directory.
func DDL(dir, table string) string {
	return fmt.Sprintf("CREATE TABLE %s USING parquet LOCATION '%s'", table, filepath.Join(dir, table+".parquet"))
}
