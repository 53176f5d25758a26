// Command duckdb answers SQL with DuckDB: the oracle and the measure of StreamFlow's batch engine. It is a module of its
// own because DuckDB needs a C compiler, which the product must not.
//
// It reads one request a line and writes one answer a line, both JSON:
//
//	{"sql": "SELECT 1 AS a", "rows": true}
//	{"columns": ["a"], "types": ["INTEGER"], "rows": [["1"]], "count": 1, "wall": 0.001, "cpu": 0.001, "peak": 91234304}
//	{"error": "Parser Error: …"}
//
// wall and cpu are seconds, peak the most memory that the process has had so far, in bytes. Without "rows" the rows are
// fetched and only counted. A value is text as SQL shows it, null for null; a double has 17 digits.
package main

import (
	"bufio"
	"context"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math/big"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/duckdb/duckdb-go/v2"
)

type request struct {
	SQL  string `json:"sql"`
	Rows bool   `json:"rows"`
}

type answer struct {
	Columns []string    `json:"columns,omitempty"`
	Types   []string    `json:"types,omitempty"`
	Rows    [][]*string `json:"rows,omitempty"`
	Count   int         `json:"count"`
	Wall    float64     `json:"wall"`
	CPU     float64     `json:"cpu"`
	Peak    int64       `json:"peak"`
	Error   string      `json:"error,omitempty"`
}

func main() {
	threads := flag.Int("threads", 0, "threads of a query; 0 is one for each processor")
	memory := flag.String("memory", "", "memory limit, such as 512MiB")
	flag.Parse()
	if err := serve(os.Stdin, os.Stdout, *threads, *memory); err != nil {
		fmt.Fprintln(os.Stderr, "duckdb:", err)
		os.Exit(1)
	}
}

func serve(in io.Reader, out io.Writer, threads int, memory string) error {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		return err
	}
	defer db.Close()
	conn, err := db.Conn(context.Background())
	if err != nil {
		return err
	}
	defer conn.Close()
	settings := []string{"SET TimeZone = 'UTC'"}
	if threads > 0 {
		settings = append(settings, fmt.Sprintf("SET threads = %d", threads))
	}
	if memory != "" {
		settings = append(settings, fmt.Sprintf("SET memory_limit = '%s'", memory))
	}
	for _, s := range settings {
		if _, err := conn.ExecContext(context.Background(), s); err != nil {
			return err
		}
	}
	return converse(conn, in, out)
}

// converse answers requests until the input ends.
func converse(conn *sql.Conn, in io.Reader, out io.Writer) error {
	requests, answers := json.NewDecoder(in), bufio.NewWriter(out)
	for {
		var r request
		if err := requests.Decode(&r); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		start, cpu := time.Now(), cpuSeconds()
		a, err := query(conn, r)
		if err != nil {
			a = answer{Error: err.Error()}
		}
		a.Wall, a.CPU, a.Peak = time.Since(start).Seconds(), cpuSeconds()-cpu, peak()
		if err := json.NewEncoder(answers).Encode(a); err != nil {
			return err
		}
		if err := answers.Flush(); err != nil {
			return err
		}
	}
}

func query(conn *sql.Conn, r request) (a answer, err error) {
	rows, err := conn.QueryContext(context.Background(), r.SQL)
	if err != nil {
		return a, err
	}
	defer rows.Close()
	if a.Columns, err = rows.Columns(); err != nil {
		return a, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return a, err
	}
	values := make([]any, len(types))
	for i, t := range types {
		a.Types = append(a.Types, t.DatabaseTypeName())
		values[i] = new(any)
	}
	for ; rows.Next(); a.Count++ {
		if err := rows.Scan(values...); err != nil {
			return a, err
		}
		if r.Rows {
			a.Rows = append(a.Rows, texts(a.Types, values))
		}
	}
	return a, rows.Err()
}

func texts(types []string, values []any) []*string {
	out := make([]*string, len(values))
	for i, p := range values {
		if v := *p.(*any); v != nil {
			s := text(types[i], v)
			out[i] = &s
		}
	}
	return out
}

func text(typ string, v any) string {
	switch v := v.(type) {
	case duckdb.Decimal:
		return decimal(v)
	case float64:
		return strconv.FormatFloat(v, 'g', 17, 64)
	case float32:
		return strconv.FormatFloat(float64(v), 'g', 9, 32)
	case []byte:
		return fmt.Sprintf("%x", v)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = "NULL"
			if e != nil {
				parts[i] = text("", e)
			}
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case time.Time:
		if typ == "DATE" {
			return v.Format("2006-01-02")
		}
		return v.UTC().Format("2006-01-02 15:04:05.999999")
	}
	return fmt.Sprint(v)
}

// decimal writes all digits after the point.
func decimal(d duckdb.Decimal) string {
	digits := new(big.Int).Abs(d.Value).String()
	scale := int(d.Scale)
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale+1-len(digits)) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if d.Value.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

func cpuSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// peak is 0 where there is no /proc.
func peak() int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(status)) {
		kib := int64(0)
		if _, err := fmt.Sscanf(line, "VmHWM: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}
