package pattern

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts shows the parser, the automaton and whole searches at work.
//
//	parse     pattern as it was understood
//	compile   its automaton
//	search    [pattern="…" skip=… within=n all pure cut=n]; the input is one row a line: time, then the variables that it can be
//
// A search prints what happens after each row: the open attempts with their threads, matches and timeouts.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/scripts", func(t *testing.T, path string) {
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			n, err := Parse(patternOf(d))
			if err != nil {
				var e *Error
				if !errors.As(err, &e) {
					t.Fatalf("not a pattern.Error: %v", err)
				}
				return fmt.Sprintf("byte %d: %s. %s\n", e.At, e.Message, e.Fix)
			}
			if d.Cmd == "parse" {
				again, err := Parse(n.String())
				if err != nil || again.String() != n.String() {
					t.Fatalf("%s does not print as it parses: %v", n, err)
				}
				return n.String() + "\n"
			}
			prog, err := Compile(n)
			if err != nil {
				return err.Error() + "\n"
			}
			if d.Cmd == "compile" {
				return prog.String()
			}
			return trace(t, d, prog)
		})
	})
}

func patternOf(d *datadriven.TestData) string {
	for _, a := range d.CmdArgs {
		if a.Key == "pattern" {
			return strings.Join(a.Vals, ", ")
		}
	}
	return d.Input
}

// world is rows that say themselves what they can be.
type world struct {
	times []int64
	can   [][]string
}

func (w *world) search(prog *Program) *Search {
	return &Search{Config: Config{Prog: prog}, Times: w.times, Test: func(reqs []Request, ok []bool) error {
		for i, r := range reqs {
			ok[i] = false
			for _, v := range w.can[r.Row] {
				ok[i] = ok[i] || strings.EqualFold(v, prog.Vars[r.Var])
			}
		}
		return nil
	}}
}

func trace(t *testing.T, d *datadriven.TestData, prog *Program) string {
	w := &world{}
	for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
		f := strings.Fields(line)
		at, err := strconv.ParseInt(f[0], 10, 64)
		if err != nil {
			t.Fatalf("%s: row %q: %v", d.Pos, line, err)
		}
		w.times, w.can = append(w.times, at), append(w.can, f[1:])
	}
	s := w.search(prog)
	configure(t, d, s)
	m := &Machine{}
	var out strings.Builder
	for i := range w.times {
		m.End = int32(i + 1)
		if err := s.Run([]*Machine{m}); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "row %d: %s\n", i, s.show(m))
		showFound(&out, s)
		m = throughState(t, s, m)
	}
	if d.HasArg("watermark") {
		var at int64
		d.ScanArgs(t, "watermark", &at)
		s.Flush(m, at)
		fmt.Fprintf(&out, "watermark %d: %s\n", at, s.show(m))
	} else {
		s.Finish(m)
		out.WriteString("end\n")
	}
	showFound(&out, s)
	return out.String()
}

func configure(t *testing.T, d *datadriven.TestData, s *Search) {
	for _, a := range d.CmdArgs {
		switch a.Key {
		case "skip":
			s.Skip = map[string]SkipMode{"past": PastLastRow, "next": ToNextRow, "first": ToFirst, "last": ToLast, "none": NoSkip}[a.Vals[0]]
			if len(a.Vals) > 1 {
				s.To = make([]bool, len(s.Prog.Vars))
				s.To[s.Prog.Var(a.Vals[1])] = true
			}
		case "within":
			s.Within, _ = strconv.ParseInt(a.Vals[0], 10, 64)
		case "all":
			s.All = true
		case "pure":
			s.RowOnly = true
		}
	}
}

// throughState takes a machine apart and puts it together again, as between two batches.
func throughState(t *testing.T, s *Search, m *Machine) *Machine {
	t.Helper()
	base := m.Oldest()
	bytes := s.AppendState(nil, m, base)
	again := &Machine{From: base, Next: m.Next, End: m.End}
	rest, err := s.RestoreState(again, append(bytes, "rest"...))
	if err != nil || string(rest) != "rest" {
		t.Fatalf("state does not come back: %q, %v", rest, err)
	}
	if got := s.AppendState(nil, again, base); !reflect.DeepEqual(got, bytes) {
		t.Fatalf("state % x became % x", bytes, got)
	}
	return again
}

func (s *Search) show(m *Machine) string {
	var list []string
	for _, a := range m.attempts {
		text := fmt.Sprintf("%d[", a.start)
		for i, th := range a.threads {
			if i > 0 {
				text += " | "
			}
			text += s.labels(th.path)
		}
		text += "]"
		if a.best != None && !s.All {
			text += " best " + s.labels(a.best)
		}
		list = append(list, text)
	}
	if list == nil {
		return "nothing open"
	}
	return strings.Join(list, ", ")
}

func (s *Search) labels(path int32) string {
	var list []string
	for _, n := range s.Paths.Nodes(nil, path) {
		p := s.Prog.Positions[s.Paths.Position(n)]
		name := s.Prog.Vars[p.Var]
		if p.Excluded {
			name = "{" + name + "}"
		}
		list = append(list, name)
	}
	return strings.Join(list, " ")
}

func showFound(out *strings.Builder, s *Search) {
	for _, f := range s.Found {
		what := fmt.Sprintf("match %d", f.Number)
		if f.TimedOut {
			what = "timeout"
		}
		fmt.Fprintf(out, "  %s: rows %d-%d %s\n", what, f.Start, s.Paths.Row(f.Path), s.labels(f.Path))
	}
	s.Found = s.Found[:0]
}

// backtrack is the definition: the preferred match that begins at row at, tried by recursion over the tree.
func backtrack(n *Node, at int, can func(name string, row int) bool, rows int, then func(end int, labels []string) bool) bool {
	var match func(n *Node, at int, labels []string, then func(int, []string) bool) bool
	match = func(n *Node, at int, labels []string, then func(int, []string) bool) bool {
		switch n.Kind {
		case Var:
			return at < rows && can(n.Name, at) && then(at+1, append(labels[:len(labels):len(labels)], n.Name))
		case Start:
			return at == 0 && then(at, labels)
		case End:
			return at == rows && then(at, labels)
		case Exclude:
			return match(n.Kids[0], at, labels, then)
		case Alt:
			for _, k := range n.Kids {
				if match(k, at, labels, then) {
					return true
				}
			}
			return false
		case Permute:
			for _, k := range permutations(n.Kids) {
				if match(k, at, labels, then) {
					return true
				}
			}
			return false
		case Repeat:
			var times func(done, at int, labels []string) bool
			times = func(done, at int, labels []string) bool {
				more := func() bool {
					if n.Max != Unbounded && done >= n.Max {
						return false
					}
					return match(n.Kids[0], at, labels, func(end int, l []string) bool {
						if end == at && done >= n.Min && n.Max == Unbounded {
							return false // an empty round leads nowhere
						}
						return times(done+1, end, l)
					})
				}
				if done < n.Min {
					return more()
				}
				if n.Reluctant {
					return then(at, labels) || more()
				}
				return more() || then(at, labels)
			}
			return times(0, at, labels)
		}
		if len(n.Kids) == 0 {
			return then(at, labels)
		}
		rest := &Node{Kind: Seq, Kids: n.Kids[1:]}
		return match(n.Kids[0], at, labels, func(end int, l []string) bool { return match(rest, end, l, then) })
	}
	return match(n, at, nil, then)
}

func randomNode(rng *rand.Rand, depth int) *Node {
	names := []string{"A", "B", "C"}
	if depth == 0 || rng.IntN(4) == 0 {
		return &Node{Kind: Var, Name: names[rng.IntN(3)]}
	}
	kids := func(n int) []*Node {
		var out []*Node
		for range n {
			out = append(out, randomNode(rng, depth-1))
		}
		return out
	}
	switch rng.IntN(7) {
	case 0, 1:
		return &Node{Kind: Seq, Kids: kids(2 + rng.IntN(2))}
	case 2:
		return &Node{Kind: Alt, Kids: kids(2)}
	case 3:
		return &Node{Kind: Permute, Kids: kids(2)}
	case 4:
		return &Node{Kind: Exclude, Kids: kids(1)}
	}
	low := rng.IntN(3)
	r := &Node{Kind: Repeat, Kids: kids(1), Min: low, Max: []int{Unbounded, low + 1, max(low, 1)}[rng.IntN(3)], Reluctant: rng.IntN(2) == 0}
	if r.Max == Unbounded && nullable(r.Kids[0]) {
		r.Max = low + 1 // what an endless repetition of nothing prefers is left open by the standard
	}
	return r
}

func nullable(n *Node) bool {
	switch n.Kind {
	case Var:
		return false
	case Repeat:
		return n.Min == 0 || nullable(n.Kids[0])
	case Alt:
		for _, k := range n.Kids {
			if nullable(k) {
				return true
			}
		}
		return false
	}
	for _, k := range n.Kids {
		if !nullable(k) {
			return false
		}
	}
	return true
}

// TestAgainstBacktracking compares searches with the definition, for random patterns over random rows, fed in random cuts.
func TestAgainstBacktracking(t *testing.T) {
	found := 0
	for seed := range uint64(3000) {
		rng := rand.New(rand.NewPCG(seed, 1))
		n := randomNode(rng, 3)
		if rng.IntN(8) == 0 {
			n = &Node{Kind: Seq, Kids: []*Node{{Kind: Start}, n}}
		}
		if rng.IntN(8) == 0 {
			n = &Node{Kind: Seq, Kids: []*Node{n, {Kind: End}}}
		}
		prog, err := Compile(n)
		if err != nil {
			t.Fatal(err)
		}
		w := randomWorld(rng)
		skip := []SkipMode{PastLastRow, ToNextRow}[rng.IntN(2)]
		want := expected(n, w, skip)
		found += len(want)
		for _, pure := range []bool{false, true} {
			s := w.search(prog)
			s.Skip, s.RowOnly = skip, pure
			m := &Machine{}
			var got []string
			for m.Next < int32(len(w.times)) {
				m.End = min(m.Next+1+rng.Int32N(4), int32(len(w.times)))
				if err := s.Run([]*Machine{m}); err != nil {
					t.Fatal(err)
				}
				got = append(got, taken(s)...)
				m = throughState(t, s, m)
			}
			s.Finish(m)
			got = append(got, taken(s)...)
			if !reflect.DeepEqual(got, want) {
				t.Fatalf("seed %d, pure %v: %s over %v, skip %d:\ngot  %v\nwant %v", seed, pure, n, w.can, skip, got, want)
			}
		}
	}
	if found < 3000 {
		t.Fatalf("only %d matches: the test compares too little", found)
	}
}

func randomWorld(rng *rand.Rand) *world {
	w := &world{}
	for i := range rng.IntN(9) + 1 {
		w.times = append(w.times, int64(i))
		var can []string
		for _, v := range []string{"A", "B", "C"} {
			if rng.IntN(2) == 0 {
				can = append(can, v)
			}
		}
		w.can = append(w.can, can)
	}
	return w
}

func expected(n *Node, w *world, skip SkipMode) []string {
	can := func(name string, row int) bool {
		for _, v := range w.can[row] {
			if v == name {
				return true
			}
		}
		return false
	}
	var want []string
	for at := 0; at < len(w.times); {
		next := at + 1
		backtrack(n, at, can, len(w.times), func(end int, labels []string) bool {
			if end > at {
				want = append(want, fmt.Sprintf("%d-%d %s", at, end-1, strings.Join(labels, " ")))
				if skip == PastLastRow {
					next = end
				}
			}
			return true
		})
		at = next
	}
	return want
}

func taken(s *Search) []string {
	var out []string
	for _, f := range s.Found {
		out = append(out, fmt.Sprintf("%d-%d %s", f.Start, s.Paths.Row(f.Path), strings.NewReplacer("{", "", "}", "").Replace(s.labels(f.Path))))
	}
	s.Found = s.Found[:0]
	return out
}

// TestNth checks navigation along a path.
func TestNth(t *testing.T) {
	n, _ := Parse("A B+ A")
	prog, _ := Compile(n)
	var p Paths
	p.Reset([]Track{{First: true, Vars: []bool{false, true}}, {Vars: []bool{false, true}}})
	path := None
	for row, pos := range []int32{3, 2, 1} { // positions are numbered from the pattern's end
		path = p.add(prog, path, int32(row), pos, 0)
	}
	b := []bool{false, true}
	for _, c := range []struct {
		first bool
		n     int
		extra int32
		v     int
		want  int32
	}{{false, 0, -1, 0, 2}, {false, 1, -1, 0, 1}, {false, 2, -1, 0, -1}, {true, 0, -1, 0, 1}, {true, 1, -1, 0, 2}, {true, 2, -1, 0, -1},
		{false, 0, 3, 1, 3}, {false, 1, 3, 1, 2}, {true, 2, 3, 1, 3}, {false, 0, 3, 0, 2}} {
		if got := p.Nth(prog, path, b, c.first, c.n, c.extra, c.v); got != c.want {
			t.Errorf("%+v: row %d", c, got)
		}
	}
	if p.Tracked(path, 0) != 1 || p.Tracked(path, 1) != 2 || p.Tracked(None, 0) != -1 {
		t.Errorf("tracked rows %v", p.rows)
	}
}

func TestTooMany(t *testing.T) {
	n, _ := Parse("(A | B)* C")
	prog, _ := Compile(n)
	w := &world{}
	for i := range 64 {
		w.times, w.can = append(w.times, int64(i)), append(w.can, []string{"A", "B"})
	}
	s := w.search(prog)
	if err := s.Run([]*Machine{{End: 64}}); !errors.Is(err, ErrTooMany) {
		t.Fatalf("two ways for each row: %v", err)
	}
	s = w.search(prog)
	s.RowOnly = true
	if err := s.Run([]*Machine{{End: 64}}); err != nil {
		t.Fatalf("threads at one position are the same: %v", err)
	}
}

// FuzzParse holds the parser to its promises: any text gives a pattern or an *Error within the text, and what parses
// prints, parses again as the same, and compiles or is refused.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"A B+ C", "(A | B)*? C{2,3}", "PERMUTE(A, B C, D)", "^ A {- B+ -} $", "`a b`?? {- `c``d` -}", "A{,2}", "A{3,}?", "(((A)))", "A -- x\n B /* y */ C"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		n, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.At < 0 || e.At > len(text) {
				t.Fatalf("%v", err)
			}
			return
		}
		again, err := Parse(n.String())
		if err != nil || again.String() != n.String() {
			t.Fatalf("%q prints as %q, which parses as %v, %v", text, n, again, err)
		}
		if n.size() > 300 {
			return
		}
		if _, err := Compile(n); err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Fatal(err)
			}
		}
	})
}

// FuzzRestoreState: no bytes make the decoder panic or accept rows that are not there.
func FuzzRestoreState(f *testing.F) {
	n, _ := Parse("A B* C")
	prog, _ := Compile(n)
	w := &world{times: []int64{1, 2, 3, 4}, can: [][]string{{"A"}, {"A", "B"}, {"B"}, {"A"}}}
	s := w.search(prog)
	s.Within = 100
	m := &Machine{End: 4}
	if err := s.Run([]*Machine{m}); err != nil {
		f.Fatal(err)
	}
	f.Add(s.AppendState(nil, m, 0))
	f.Fuzz(func(t *testing.T, b []byte) {
		s := w.search(prog)
		s.Within = 100
		m := &Machine{Next: 4, End: 4}
		if _, err := s.RestoreState(m, b); err != nil {
			return
		}
		for _, path := range m.Threads(nil) {
			if r := s.Paths.Row(path); r < 0 || r >= 4 {
				t.Fatalf("a thread is at row %d", r)
			}
		}
		s.Flush(m, math.MaxInt64)
	})
}

func BenchmarkSearch(b *testing.B) {
	n, _ := Parse("A B* C")
	prog, _ := Compile(n)
	rng := rand.New(rand.NewPCG(1, 1))
	w := &world{}
	for i := range 4096 {
		w.times = append(w.times, int64(i))
		w.can = append(w.can, [][]string{{"A"}, {"B"}, {"B"}, {"C"}}[rng.IntN(4)])
	}
	s := w.search(prog)
	var machines []*Machine
	for range 64 {
		machines = append(machines, &Machine{})
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Paths.Reset(nil)
		s.Found = s.Found[:0]
		for i, m := range machines {
			*m = Machine{From: int32(64 * i), Next: int32(64 * i), End: int32(64 * (i + 1))}
		}
		if err := s.Run(machines); err != nil {
			b.Fatal(err)
		}
		for _, m := range machines {
			s.Finish(m)
		}
	}
	b.ReportMetric(float64(4096*b.N)/b.Elapsed().Seconds(), "rows/s")
}
