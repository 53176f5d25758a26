package streamflow_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/streamflow/streamflow"

// policy says which package of this module may import which. It is read from top to bottom:
//
//	a, b < c, d        c and d may import a and b, and what those may import
//	a never b, c: why  a must not import b or c, not even through others
//
// A package stands for the packages below it in the tree that have no line of their own; "a/..." is a and all below it,
// "*" every package. A package that stands nowhere fails the test: give it its place. In "never" lines packages of other
// modules and of the standard library may be named too; that is a statement about direct imports only.
const policy = `
# The ground: mistakes of users, time, files, encodings.
NONE < internal/usererr, internal/clock, internal/vfs, internal/invariant, internal/metrics, internal/tidy, internal/proctest, internal/chaoslog < internal/chaoslog/run;
internal/usererr < internal/config, internal/certs, internal/term, internal/wire, internal/auth, internal/simtest;

# Data, then expressions over it.
internal/usererr, internal/invariant, internal/metrics < column < internal/codec, column/parquet;
column/parquet < internal/tpch;
column < internal/nexmark < internal/nexmark/answer;
internal/codec < expr < expr/exprlang, expr/wasm;

# The engine below SQL.
internal/codec < rdd < scheduler;
column, internal/metrics, internal/vfs, internal/wire < shuffle;
internal/metrics, internal/vfs, rdd < executor/state;
rdd, shuffle, executor/state, internal/metrics < executor;

# The log.
internal/usererr, internal/vfs, internal/clock, internal/metrics < logstore/record, logstore/wal;
logstore/record < logstore/segment < logstore/compact;
NONE < logstore/replica;
logstore/record, logstore/segment, logstore/wal, logstore/replica, logstore/compact < logstore;
internal/usererr < logstore/peer;
logstore/peer, internal/clock, internal/metrics, internal/vfs < logstore/meta;
internal/usererr, internal/clock, internal/metrics < logstore/group < logstore/group/consumer < logstore/group/share;
column, logstore/record < logstore/columnar;
logstore, logstore/columnar, column/parquet < logstore/tier;
NONE < logstore/placement;
logstore < logstore/replicator;
column, logstore, logstore/meta, logstore/tier, logstore/placement, logstore/replicator < logstore/broker;
NONE < logstore/acl, logstore/auth, logstore/quota;
logstore/broker, logstore/group/share, logstore/columnar, logstore/acl, logstore/auth, logstore/quota < logstore/kafka < logstore/clustertest;

# Programs: plans, names, rules, operators, the loop.
NONE < structured/pattern;
column < structured/process;
column < structured/stats;
expr, structured/stats, structured/pattern < structured/logical < structured/catalog, structured/sql, structured/cost;
expr, rdd, structured/logical < structured/connector;
structured/catalog, structured/sql, structured/connector, structured/cost, structured/process, expr/exprlang < structured/optimize;
structured/connector, structured/logical, structured/cost, structured/process, executor/state < structured/physical;
structured/connector, structured/logical, internal/clock < structured/stream;
NONE < structured/cep;
structured/logical, structured/sql, structured/cep, expr/exprlang < structured < internal/oracle;
expr < structured/udf;

# Where rows come from and go to.
structured/connector, structured/catalog, column/parquet, internal/vfs
	< structured/connector/connectortest, structured/connector/file, structured/connector/memory, structured/connector/cached < structured/connector/console, structured/connector/socket;
structured/connector/memory, structured/process < structured/connector/foreach;
structured/connector, structured/catalog, logstore/broker, logstore/columnar < structured/connector/streamlog;
structured, structured/connector, structured/catalog, internal/nexmark < structured/connector/generate;
structured/connector, structured/catalog < structured/connector/kafka;

# The node: everything meets here, and only here.
logstore/tier < driver/savepoint;
expr/wasm, structured, structured/optimize, structured/physical, structured/stream, structured/connector/streamlog,
structured/connector/file, structured/connector/memory, structured/connector/cached, structured/connector/console, structured/connector/foreach, structured/connector/kafka, scheduler, executor, internal/config, internal/term, logstore/kafka,
driver/savepoint
	< driver;
structured, internal/auth, internal/config < driver/connect;
driver, driver/connect < gateway;
driver, driver/connect, structured/connector/generate, structured/connector/socket < streamflow;
streamflow, gateway, internal/term, internal/config, internal/certs, internal/simtest, internal/tpch < cmd, examples, bench;
streamflow, internal/nexmark < internal/nexmark/run < cmd;
NONE < scripts/compat, scripts/benchlog;
streamflow, column/parquet, internal/config, internal/oracle, internal/tpch < scripts/benchbatch, scripts/tpchcheck;
NONE < internal/sqlgen, internal/tpcds;
streamflow, internal/oracle, internal/sqlgen < scripts/duckdiff;
streamflow, expr, internal/oracle, internal/sqlgen < scripts/sparkdiff;

# What must never be, and why.
executor/... never structured/..., driver/...: executors know batches, not SQL
shuffle never rdd: shuffle moves bytes; it has no opinion on graphs
rdd never shuffle, scheduler, executor/...: a dataset says what is computed, not where its bytes lie
logstore/... never rdd, structured/..., executor/...: the log is useful without the engine
scheduler never internal/clock, executor, os, net, time, sync: pure; time and I/O come in as events
logstore/compact never os, net, time, sync: pure; batches in, batches out
logstore/group never os, net, time, sync: pure; time comes in as events
logstore/group/consumer never os, net, time, sync: pure; time comes in as events
logstore/group/share never os, net, time, sync: pure; time comes in as events
logstore/placement never os, net, time, sync, math/rand: pure; every node places alike
logstore/replica never os, net, time, sync: pure; a model of it is run through millions of steps
logstore/acl never os, net, time: pure; who may do what is a function of the bindings
structured/pattern never os, net, time, sync: pure; rows and answers in, matches out
structured/process never os, net, sync/atomic: user code by key; times and state come in, rows go out
structured/sql never structured/catalog, os, net, sync: text becomes a plan; nothing is looked up
structured/logical never rdd, structured/catalog, os, net: a plan is data
structured/stats never expr/..., os, net, time, sync: data and arithmetic
structured/cost never os, net, time, sync: plans in, numbers and plans out
structured/optimize never structured/physical, os, net, time, sync: rules are functions from plan to plan
expr/... never structured/..., os, net: expressions know nothing of plans
column never expr/..., os, net: batches know nothing of SQL and do no I/O of their own
structured, structured/logical, structured/sql, structured/optimize, structured/physical, structured/stream never logstore/..., driver/...: a program is the same over any backend
* never github.com/apache/arrow/go/v17/arrow/compute: its functions are slow, and its take is quadratic for strings
* never github.com/apache/arrow/go/v17/parquet/pqarrow: its record reader fails on dictionary columns
`

// imports reads the import lists of all packages: relative package path -> imports, tests left out.
func imports(t *testing.T) map[string][]string {
	t.Helper()
	all := map[string]map[string]bool{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			_, noModule := os.Stat(filepath.Join(path, "go.mod"))
			if path != "." && (name[0] == '.' || name[0] == '_' || name == "testdata" || noModule == nil) {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return fmt.Errorf("read imports: %w", err)
		}
		pkg := filepath.ToSlash(filepath.Dir(path))
		if pkg == "." {
			pkg = "streamflow"
		}
		if all[pkg] == nil {
			all[pkg] = map[string]bool{}
		}
		for _, s := range f.Imports {
			p, _ := strconv.Unquote(s.Path.Value)
			all[pkg][local(p)] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	for pkg, set := range all {
		for p := range set {
			out[pkg] = append(out[pkg], p)
		}
		sort.Strings(out[pkg])
	}
	return out
}

// local is an import path as the policy writes it.
func local(path string) string {
	if path == module {
		return "streamflow"
	}
	return strings.TrimPrefix(path, module+"/")
}

type never struct {
	pkg, bad []string
	why      string
}

// rules is the parsed policy: what a package may import, closed over "and what those may import".
type rules struct {
	may   map[string]map[string]bool
	never []never
}

func parsePolicy(t *testing.T, text string) *rules {
	t.Helper()
	r := &rules{may: map[string]map[string]bool{}}
	stmt := ""
	for _, line := range strings.Split(text, "\n") {
		line, _, _ = strings.Cut(strings.TrimSpace(line), "#")
		if pkg, rest, ok := strings.Cut(line, " never "); ok {
			bad, why, ok := strings.Cut(rest, ": ")
			if !ok {
				t.Fatalf("policy: no reason in %q", line)
			}
			r.never = append(r.never, never{list(pkg), list(bad), why})
			continue
		}
		stmt += " " + line
		if strings.HasSuffix(line, ";") {
			r.chain(t, strings.TrimSuffix(stmt, ";"))
			stmt = ""
		}
	}
	if strings.TrimSpace(stmt) != "" {
		t.Fatalf("policy: no semicolon after %q", stmt)
	}
	return r
}

func list(s string) []string {
	var out []string
	for _, p := range strings.Split(s, ",") {
		out = append(out, strings.TrimSpace(p))
	}
	return out
}

// chain reads a < b < c: each group may import the group before it, and what that may import.
func (r *rules) chain(t *testing.T, s string) {
	t.Helper()
	groups := strings.Split(s, "<")
	for i := 1; i < len(groups); i++ {
		for _, above := range list(groups[i]) {
			if r.may[above] == nil {
				r.may[above] = map[string]bool{}
			}
			for _, below := range list(groups[i-1]) {
				if below == "NONE" {
					continue
				}
				if r.may[below] == nil {
					t.Fatalf("policy: %s stands above %s, which has no place yet", above, below)
				}
				r.may[above][below] = true
				for p := range r.may[below] {
					r.may[above][p] = true
				}
			}
		}
	}
}

// place is the line of the policy that a package belongs to: its own or that of the nearest package above it in the tree.
func (r *rules) place(pkg string) string {
	for p := pkg; p != "."; p = filepath.ToSlash(filepath.Dir(p)) {
		if r.may[p] != nil {
			return p
		}
	}
	return ""
}

// named reports whether a "never" line names pkg by the pattern p.
func (r *rules) named(pkg, p string) bool {
	if tree, ok := strings.CutSuffix(p, "/..."); ok {
		return pkg == tree || strings.HasPrefix(pkg, tree+"/")
	}
	return p == "*" || pkg == p || r.may[p] != nil && r.place(pkg) == p
}

func TestImports(t *testing.T) {
	r, all := parsePolicy(t, policy), imports(t)
	for pkg, deps := range all {
		place := r.place(pkg)
		if place == "" {
			t.Errorf("%s stands nowhere in the policy: give it a place", pkg)
			continue
		}
		for _, d := range deps {
			if _, ours := all[d]; !ours {
				continue // another module, or the standard library
			}
			if to := r.place(d); to != place && !r.may[place][to] {
				t.Errorf("%s imports %s, which the policy does not allow", pkg, d)
			}
		}
	}
	for _, n := range r.never {
		for pkg := range all {
			if slices.ContainsFunc(n.pkg, func(p string) bool { return r.named(pkg, p) }) {
				for _, f := range r.forbidden(all, pkg, n) {
					t.Error(f)
				}
			}
		}
	}
}

// forbidden follows pkg's imports within the module and returns the paths to forbidden ones.
func (r *rules) forbidden(all map[string][]string, pkg string, n never) (found []string) {
	from := map[string]string{pkg: ""}
	for queue := []string{pkg}; len(queue) > 0; queue = queue[1:] {
		at := queue[0]
		for _, d := range all[at] {
			_, ours := all[d]
			if !ours && at != pkg {
				continue
			}
			if slices.ContainsFunc(n.bad, func(bad string) bool { return r.named(d, bad) }) {
				found = append(found, fmt.Sprintf("%s imports %s%s: never, because %s", pkg, d, way(from, at), n.why))
			}
			if _, seen := from[d]; ours && !seen {
				from[d] = at
				queue = append(queue, d)
			}
		}
	}
	return found
}

// way is the chain of packages from the first to at.
func way(from map[string]string, at string) string {
	if from[at] == "" {
		return ""
	}
	s := " through " + at
	for p := from[at]; from[p] != ""; p = from[p] {
		s += " from " + p
	}
	return s
}

// TestPolicyFinds feeds the reader graphs that break the rules, so that a policy which no longer sees anything fails.
func TestPolicyFinds(t *testing.T) {
	r := parsePolicy(t, "NONE < a, x; a < b < c;\nc never x: because")
	if !r.may["c"]["a"] || r.may["a"]["b"] || r.place("b/sub/dir") != "b" || r.place("zzz") != "" {
		t.Errorf("closure or places are wrong: %v", r.may)
	}
	if len(r.never) != 1 || r.never[0].why != "because" {
		t.Errorf("never: %v", r.never)
	}
	if got := way(map[string]string{"a": "", "b": "a", "c": "b"}, "c"); got != " through c from b" {
		t.Errorf("way is %q", got)
	}
	if r.named("a2", "a") || !r.named("a/sub", "a") || !r.named("q/r", "q/...") || r.named("net/url", "net") {
		t.Error("names")
	}
	broken := map[string][]string{"c": {"b"}, "b": {"x"}, "x": nil}
	if bad := r.forbidden(broken, "c", r.never[0]); len(bad) != 1 || bad[0] != "c imports x through b: never, because because" {
		t.Errorf("found %q", bad)
	}
}
