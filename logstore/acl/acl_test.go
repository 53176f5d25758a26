package acl

import (
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestDecide runs testdata/decide: bindings in, answers out.
func TestDecide(t *testing.T) {
	var bindings []Binding
	a := &Authorizer{}
	datadriven.RunTest(t, "testdata/decide", func(t *testing.T, d *datadriven.TestData) string {
		switch d.Cmd {
		case "bindings":
			bindings = nil
			for line := range strings.SplitSeq(strings.TrimSpace(d.Input), "\n") {
				bindings = append(bindings, parseBinding(t, line))
			}
			a = &Authorizer{Source: fixed{NewRules(1, bindings)}, AllowIfNone: d.HasArg("allow-if-none"), SuperUsers: []Principal{NewUser("root")}}
			return ""
		case "ask":
			var out strings.Builder
			for line := range strings.SplitSeq(strings.TrimSpace(d.Input), "\n") {
				fmt.Fprintf(&out, "%s: %v\n", line, ask(t, a, strings.Fields(line)))
			}
			return out.String()
		}
		t.Fatalf("unknown command %s", d.Cmd)
		return ""
	})
}

type fixed struct{ rules *Rules }

func (f fixed) Rules() *Rules { return f.rules }

// parseBinding reads: allow User:alice READ TOPIC literal orders 10.0.0.1
func parseBinding(t *testing.T, line string) Binding {
	t.Helper()
	f := strings.Fields(line)
	if len(f) != 7 {
		t.Fatalf("binding %q has %d fields", line, len(f))
	}
	b := Binding{Name: f[5], Host: f[6], Permission: Allow}
	if f[0] == "deny" {
		b.Permission = Deny
	}
	var errs [4]error
	b.Principal, errs[0] = ParsePrincipal(f[1])
	b.Operation, errs[1] = ParseOperation(f[2])
	b.Type, errs[2] = ParseResourceType(f[3])
	b.Pattern, errs[3] = ParsePattern(f[4])
	for _, err := range append(errs[:], b.Validate()) {
		if err != nil {
			t.Fatalf("binding %q: %v", line, err)
		}
	}
	return b
}

// ask reads: User:alice READ TOPIC orders [HOST], where a name of "?" asks for any resource.
func ask(t *testing.T, a *Authorizer, f []string) bool {
	t.Helper()
	who, err := ParsePrincipal(f[0])
	if err != nil {
		t.Fatal(err)
	}
	op, err := ParseOperation(f[1])
	if err != nil {
		t.Fatal(err)
	}
	typ, err := ParseResourceType(f[2])
	if err != nil {
		t.Fatal(err)
	}
	host := "10.0.0.1"
	if len(f) > 4 {
		host = f[4]
	}
	if f[3] == "?" {
		return a.AllowedOnAny(who, host, op, typ)
	}
	return a.Allowed(who, host, op, typ, f[3])
}

// TestRulesAgreeWithTheDefinition compares the arranged rules with a plain reading of all bindings, on random ones.
func TestRulesAgreeWithTheDefinition(t *testing.T) {
	seed := rand.Int63()
	r := rand.New(rand.NewSource(seed))
	pick := func(s ...string) string { return s[r.Intn(len(s))] }
	for round := range 300 {
		var bindings []Binding
		for range r.Intn(8) {
			b := Binding{Type: Topic, Name: pick("a", "ab", "abc", "b", "*"), Pattern: Pattern(3 + r.Intn(2)), Principal: NewUser(pick("x", "y", "*")),
				Host: pick("*", "h1", "h2"), Operation: []Operation{All, Read, Write, Describe, AlterConfigs}[r.Intn(5)], Permission: Permission(2 + r.Intn(2))}
			bindings = append(bindings, b)
		}
		none := r.Intn(2) == 0
		a := &Authorizer{Source: fixed{NewRules(1, bindings)}, AllowIfNone: none}
		for range 20 {
			who, host, name := NewUser(pick("x", "y", "z")), pick("h1", "h2", "h3"), pick("a", "ab", "abc", "abcd", "b", "c")
			op := []Operation{Read, Write, Describe, DescribeConfigs, Create}[r.Intn(5)]
			if got, want := a.Allowed(who, host, op, Topic, name), plainly(bindings, none, who, host, op, name); got != want {
				t.Fatalf("seed %d round %d: %s %s %s from %s: %v, want %v; bindings %v", seed, round, who, op, name, host, got, want, bindings)
			}
		}
	}
}

func plainly(bindings []Binding, none bool, who Principal, host string, op Operation, name string) bool {
	found, allowed := false, false
	for _, b := range bindings {
		if !(Filter{Type: Topic, Name: name, Pattern: Match}).Matches(b) {
			continue
		}
		found = true
		if b.Host != "*" && b.Host != host || b.Principal.Name != "*" && b.Principal != who {
			continue
		}
		if b.Permission == Deny && (b.Operation == All || b.Operation == op) {
			return false
		}
		implied := op == Describe && (b.Operation == Read || b.Operation == Write) || op == DescribeConfigs && b.Operation == AlterConfigs
		allowed = allowed || b.Permission == Allow && (b.Operation == All || b.Operation == op || implied)
	}
	return allowed || !found && none
}

func TestMachine(t *testing.T) {
	m := NewMachine()
	first := m.Rules()
	orders := parseBinding(t, "allow User:alice READ TOPIC literal orders *")
	every := parseBinding(t, "deny User:bob ALL TOPIC literal * *")
	team := parseBinding(t, "allow User:alice WRITE TOPIC prefixed ord *")
	if _, err := m.Apply(Command{Add: []Binding{orders, every, team, orders}}.Encode()); err != nil {
		t.Fatal(err)
	}
	if m.Rules().Version == first.Version || m.Rules().Len() != 3 || first.Len() != 0 {
		t.Errorf("version %d with %d bindings", m.Rules().Version, m.Rules().Len())
	}
	if got := m.List(Filter{Name: "orders", Pattern: Match}); len(got) != 3 {
		t.Errorf("match finds %v", got)
	}
	if got := m.List(Filter{Name: "orders"}); len(got) != 1 || got[0] != orders {
		t.Errorf("any pattern finds %v", got)
	}
	n := NewMachine()
	if err := n.Restore(m.Snapshot()); err != nil {
		t.Fatal(err)
	}
	out, err := n.Apply(Command{Remove: []Filter{{Principal: "User:alice"}, {Operation: All}, {Name: "nothing"}}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	removed, err := DecodeRemoved(out)
	if err != nil || len(removed) != 3 || len(removed[0]) != 2 || len(removed[1]) != 1 || len(removed[2]) != 0 {
		t.Errorf("removed %v, %v", removed, err)
	}
	if n.Rules().Len() != 0 || m.Rules().Len() != 3 {
		t.Errorf("%d and %d bindings are left", n.Rules().Len(), m.Rules().Len())
	}
	if _, err := n.Apply(Command{Add: []Binding{{Type: Topic}}}.Encode()); err == nil {
		t.Error("half a binding was taken")
	}
}

// TestTooMany fills a machine to its bound.
func TestTooMany(t *testing.T) {
	m := NewMachine()
	b := parseBinding(t, "allow User:alice READ TOPIC literal t *")
	var add []Binding
	for i := range maxBindings {
		b.Name = fmt.Sprint(i)
		add = append(add, b)
	}
	if _, err := m.Apply(Command{Add: add}.Encode()); err != nil {
		t.Fatal(err)
	}
	b.Name = "one more"
	if _, err := m.Apply(Command{Add: []Binding{b}}.Encode()); !errors.Is(err, ErrTooMany) || m.Rules().Len() != maxBindings {
		t.Errorf("one more: %v, %d", err, m.Rules().Len())
	}
}

func TestValidate(t *testing.T) {
	good := Binding{Type: Topic, Name: "t", Pattern: Literal, Principal: NewUser("a"), Host: "*", Operation: Read, Permission: Allow}
	if err := good.Validate(); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Binding){
		"any type": func(b *Binding) { b.Type = AnyType }, "match": func(b *Binding) { b.Pattern = Match }, "no name": func(b *Binding) { b.Name = "" },
		"other cluster": func(b *Binding) { b.Type = Cluster }, "no principal": func(b *Binding) { b.Principal = Principal{} }, "no host": func(b *Binding) { b.Host = "" },
		"any operation": func(b *Binding) { b.Operation = AnyOp }, "any permission": func(b *Binding) { b.Permission = AnyPermission },
	} {
		b := good
		change(&b)
		if b.Validate() == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for op, want := range map[Operation]bool{All: true, Read: true, ClusterAction: false} {
		if good.Operation = op; (good.CheckOperation() == nil) != want {
			t.Errorf("%s of a topic: %v", op, good.CheckOperation())
		}
	}
}

// BenchmarkAllowed asks among 1,000 bindings as a connection does whose answer is not cached.
func BenchmarkAllowed(b *testing.B) {
	var bindings []Binding
	for i := range 500 {
		bindings = append(bindings,
			Binding{Topic, fmt.Sprintf("topic-%d", i), Literal, NewUser("alice"), "*", Read, Allow},
			Binding{Topic, fmt.Sprintf("team-%d-", i), Prefixed, NewUser("bob"), "*", Write, Allow})
	}
	a := &Authorizer{Source: fixed{NewRules(1, bindings)}}
	who := NewUser("alice")
	b.ReportAllocs()
	for b.Loop() {
		if !a.Allowed(who, "10.0.0.1", Read, Topic, "topic-77") {
			b.Fatal("refused")
		}
	}
}

func TestAllowedAllocatesNothing(t *testing.T) {
	a := &Authorizer{Source: fixed{NewRules(1, []Binding{{Topic, "ord", Prefixed, NewUser("a"), "*", Read, Allow}})}}
	if n := testing.AllocsPerRun(100, func() { a.Allowed(NewUser("a"), "h", Read, Topic, "orders") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestStateOfDocs reads a state as docs/format/meta.md has it, and writes the same: later releases must.
func TestStateOfDocs(t *testing.T) {
	const state = `{"add":[{"type":2,"name":"ord","pattern":4,"principal":"User:alice","host":"*","op":3,"permission":3}]}`
	m := NewMachine()
	if err := m.Restore([]byte(state)); err != nil {
		t.Fatal(err)
	}
	want := Binding{Topic, "ord", Prefixed, NewUser("alice"), "*", Read, Allow}
	if got := m.List(Filter{}); len(got) != 1 || got[0] != want || string(m.Snapshot()) != state {
		t.Errorf("%v, written as %s", got, m.Snapshot())
	}
}
