package streamflow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/usererr"
)

// TestFunctionsOfModules: functions from a WebAssembly module are the catalog's, and are there again after a restart.
func TestFunctionsOfModules(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	s, err := streamflow.Local(streamflow.Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	run := func(text string) (string, error) {
		df, err := s.SQL(ctx, text)
		if err != nil {
			return "", err
		}
		rows, err := df.Collect(ctx)
		var out []string
		for _, r := range rows {
			out = append(out, fmt.Sprint(r.Values()))
		}
		return strings.Join(out, " "), err
	}
	want := func(text, rows string) {
		t.Helper()
		if got, err := run(text); err != nil || got != rows {
			t.Errorf("%s: %s, %v; want %s", text, got, err, rows)
		}
	}
	fails := func(text, code string) {
		t.Helper()
		_, err := run(text)
		if u, ok := usererr.As(err); !ok || u.Code != code {
			t.Errorf("%s: %v, want %s", text, err, code)
		}
	}
	const module = " USING WASM 'expr/wasm/testdata/functions.wasm'"
	want("CREATE FUNCTION add(a BIGINT, b BIGINT DEFAULT 1) RETURNS BIGINT"+module, "")
	want("CREATE FUNCTION rest(s STRING) RETURNS STRING"+module+" OPTIONS (export 'tail', memory '1MiB')", "")
	want("CREATE FUNCTION slow(x INT) RETURNS INT"+module+" OPTIONS (export 'forever', timeout '20ms')", "")
	want("SELECT add(id, 10), rest('hello'), add(1), rest(null) FROM range(2)", "[10 ello 2 <nil>] [11 ello 2 <nil>]")
	fails("SELECT slow(1)", "UDF_LIMIT_EXCEEDED")
	fails("SELECT add('x', 'y', 'z')", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION")
	fails("CREATE FUNCTION add(a BIGINT, b BIGINT) RETURNS BIGINT"+module, "ROUTINE_ALREADY_EXISTS")
	fails("CREATE FUNCTION other(a BIGINT) RETURNS BIGINT"+module, "INVALID_WASM_FUNCTION")
	fails("CREATE FUNCTION other(a BIGINT) RETURNS BIGINT USING WASM 'go.mod'", "INVALID_WASM_MODULE")
	fails("CREATE FUNCTION other(a BIGINT) RETURNS BIGINT"+module+" OPTIONS (speed 'high')", "INVALID_WASM_OPTION")
	fails("CREATE TEMPORARY FUNCTION other(a BIGINT) RETURNS BIGINT"+module, "UNSUPPORTED_FEATURE.TEMPORARY_MODULE_FUNCTION")

	want("CREATE FUNCTION fee(amount DOUBLE) RETURNS DOUBLE LANGUAGE EXPR AS 'amount > 100 ? amount * 0.01 : 1.0'", "")
	want("SELECT fee(add(199, 1)), fee(5)", "[2 1]")
	fails("CREATE FUNCTION wrong(x INT) RETURNS INT LANGUAGE EXPR AS 'x +* 1'", "PARSE_SYNTAX_ERROR")
	fails("CREATE FUNCTION wrong(x INT) RETURNS INT LANGUAGE COBOL AS 'x'", "UNSUPPORTED_FEATURE.FUNCTION_LANGUAGE")

	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = streamflow.Local(streamflow.Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want("SELECT add(40, 2), rest('hello'), fee(200)", "[42 ello 2]")
	want("CREATE OR REPLACE FUNCTION add(a INT) RETURNS INT"+module+" OPTIONS (export 'even')", "")
	want("SELECT add(4)", "[1]")
	want("DROP FUNCTION ADD", "")
	fails("SELECT add(4)", "UNRESOLVED_ROUTINE")
	want("CREATE FUNCTION add(a INT) RETURNS INT"+module+" OPTIONS (export 'even')", "")
	want("SELECT add(4)", "[1]")
}
