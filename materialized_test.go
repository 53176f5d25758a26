package streamflow

import (
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/gateway"
)

// get asks the node's HTTP face.
func get(t *testing.T, s *LocalSession, path string) (status int, body string) {
	t.Helper()
	n := s.node
	w := httptest.NewRecorder()
	gateway.New(gateway.Options{Broker: n.Broker(), Queries: n.Queries(), Engine: n.Engine()}).ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	b, err := io.ReadAll(w.Result().Body)
	if err != nil {
		t.Fatal(err)
	}
	return w.Code, string(b)
}

// TestMaterializedView keeps a view of totals and one of rows fresh, over a restart, and serves them.
func TestMaterializedView(t *testing.T) {
	conf := Config{Dir: t.TempDir(), Slots: 2, Memory: 256 << 20, Logger: slog.New(slog.DiscardHandler)}
	s, err := Local(conf)
	if err != nil {
		t.Fatal(err)
	}
	query(t, s.Session, "CREATE TABLE orders (ts TIMESTAMP, item STRING, n INT) USING topic OPTIONS (partitions '2')")
	refused(t, s, "CREATE MATERIALIZED VIEW per_item AS SELECT item, sum(n) AS total FROM orders GROUP BY item", "STREAMING_STATE_UNBOUNDED")
	query(t, s.Session, "SET streamflow.state.unbounded = allow")
	query(t, s.Session, "CREATE MATERIALIZED VIEW per_item AS SELECT item, count(*) AS orders, sum(n) AS total FROM orders GROUP BY item")
	query(t, s.Session, "CREATE MATERIALIZED VIEW large AS SELECT item, n FROM orders WHERE n > 4")
	refused(t, s, "CREATE MATERIALIZED VIEW large AS SELECT item FROM orders", "ALREADY_EXISTS")
	for life := range 2 {
		produce(t, s, "orders", 0, order(life, 1, "a", 1), order(life, 2, "b", 5))
		produce(t, s, "orders", 1, order(life, 3, "a", 7))
		processed(t, s, "per_item")
		processed(t, s, "large")
		k := life + 1
		if got, want := query(t, s.Session, "SELECT * FROM per_item ORDER BY item"), fmt.Sprintf("Row(item=a, orders=%d, total=%d)\nRow(item=b, orders=%d, total=%d)\n", 2*k, 8*k, k, 5*k); got != want {
			t.Errorf("life %d: per_item is\n%s\n%s", life, got, query(t, s.Session, "DESCRIBE STREAMING QUERY per_item"))
		}
		if got, want := query(t, s.Session, "SELECT item, count(*) AS k FROM large GROUP BY item ORDER BY item"), fmt.Sprintf("Row(item=a, k=%d)\nRow(item=b, k=%d)\n", k, k); got != want {
			t.Errorf("life %d: large is\n%s", life, got)
		}
		if code, body := get(t, s, "/v1/views/per_item?item=a"); code != 200 || !strings.Contains(body, fmt.Sprintf(`"rows":[{"item":"a","orders":%d,"total":%d}]`, 2*k, 8*k)) {
			t.Errorf("life %d: by key: %d %s", life, code, body)
		}
		if code, body := get(t, s, "/v1/views/large?n=5&limit=1"); code != 200 || !strings.Contains(body, `"rows":[{"item":"b","n":5`) || !strings.Contains(body, fmt.Sprintf(`"more":%t`, life == 1)) {
			t.Errorf("life %d: by column: %d %s", life, code, body)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Local(conf); err != nil {
			t.Fatal(err)
		}
	}
	query(t, s.Session, "DROP MATERIALIZED VIEW per_item")
	query(t, s.Session, "DROP MATERIALIZED VIEW IF EXISTS per_item")
	refused(t, s, "DROP MATERIALIZED VIEW orders", "TABLE_OR_VIEW_NOT_FOUND")
	if got := query(t, s.Session, "SHOW TABLES"); strings.Contains(got, "per_item") || !strings.Contains(got, "large.rows") {
		t.Errorf("tables: %s", got)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}

// TestQueriesOverHTTP asks for what a query does and keeps.
func TestQueriesOverHTTP(t *testing.T) {
	s := local(t)
	counting(t, s)
	for path, want := range map[string]string{
		"/v1/queries":                                   `"name":"counted","status":"running"`,
		"/v1/queries/counted/why":                       `"findings":[`,
		"/v1/queries/counted/state/by_item?item=b":      `"sum(n)":2`,
		"/v1/queries/counted/state/by_item?limit=none":  "INVALID_PARAMETER_VALUE",
		"/v1/queries/counted/state/by_item?colour=blue": "UNRESOLVED_COLUMN",
		"/v1/queries/other/why":                         "STREAMING_QUERY_NOT_FOUND",
		"/v1/views/orders":                              "TABLE_OR_VIEW_NOT_FOUND",
	} {
		code, body := get(t, s, path)
		if !strings.Contains(body, want) || (code == 200) != !strings.Contains(want, "_") {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code, _ := get(t, s, "/v1/queries/other/why"); code != http.StatusNotFound {
		t.Errorf("of no query: %d", code)
	}
}
