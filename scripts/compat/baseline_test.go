package main

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestJudge(t *testing.T) {
	rec := record{Ran: 3, Known: map[string]string{"b": "needs three brokers", "c": "needs racks"}}
	all := func(a, b, c outcome) []testCase { return []testCase{{"a", a, ""}, {"b", b, ""}, {"c", c, ""}} }
	for _, tc := range []struct {
		name          string
		res           result
		regressed     string // names
		known, mended int
	}{
		{"as recorded", result{cases: all(passed, failed, failed)}, "", 2, 0},
		{"one known failure passes", result{cases: all(passed, passed, failed)}, "", 1, 1},
		{"what passed fails", result{cases: all(failed, failed, failed)}, "a", 2, 0},
		{"what ran is skipped", result{cases: all(skipped, failed, failed)}, "(the suite)", 2, 0},
		{"a new case fails", result{cases: append(all(passed, failed, failed), testCase{"d", failed, ""})}, "d", 2, 0},
		{"the suite broke", result{cases: all(passed, failed, failed)[:1], broken: errors.New("killed")}, "(the suite)", 0, 0},
		{"the suite cannot run here", result{skip: "no Java"}, "", 0, 0},
	} {
		v := rec.judge(tc.res)
		var names []string
		for _, c := range v.regressions {
			names = append(names, c.name)
		}
		if got := strings.Join(names, " "); got != tc.regressed || v.known != tc.known || len(v.mended) != tc.mended {
			t.Errorf("%s: regressions %q, %d known, %d mended", tc.name, got, v.known, len(v.mended))
		}
	}
}

func TestMerge(t *testing.T) {
	first := []testCase{{"a", passed, ""}, {"b", failed, "slow"}, {"c", failed, "lost"}}
	all, better := merge(first, []testCase{{"b", passed, ""}, {"c", failed, "lost"}})
	if want := []testCase{{"a", passed, ""}, {"b", passed, ""}, {"c", failed, "lost"}}; !reflect.DeepEqual(all, want) || !reflect.DeepEqual(better, []string{"b"}) {
		t.Errorf("got %v, better %v", all, better)
	}
}

// TestRecordKeepsReasons records a run twice: a failure keeps the reason that somebody has given it.
func TestRecordKeepsReasons(t *testing.T) {
	path := filepath.Join(t.TempDir(), "dir", "baseline.json")
	b := baseline{"x/1": {Ran: 9, Known: map[string]string{"old": "because", "gone": "was fixed"}}}
	b.record("x", 1, result{cases: []testCase{{"a", passed, ""}, {"old", failed, "boom"}, {"new", failed, "bang"}, {"s", skipped, ""}}})
	b.record("y", 3, result{skip: "no Java"})
	if err := b.save(path); err != nil {
		t.Fatal(err)
	}
	got, err := loadBaseline(path)
	if err != nil {
		t.Fatal(err)
	}
	want := baseline{"x/1": {Ran: 3, Known: map[string]string{"old": "because", "new": unexplained + "bang"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got["x/1"], want["x/1"])
	}
	if empty, err := loadBaseline(path + ".not"); err != nil || len(empty) != 0 {
		t.Errorf("no record: %v, %v", empty, err)
	}
}

// TestBaseline reads the record of this repository: every known failure says why, of a suite that there is.
func TestBaseline(t *testing.T) {
	b, err := loadBaseline("../../testdata/compat/baseline.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range b.names() {
		suite, _, _ := strings.Cut(name, "/")
		if _, ok := suiteNamed(suite); !ok {
			t.Errorf("%s: there is no such suite", name)
		}
		for c, why := range b[name].Known {
			if why == "" || strings.HasPrefix(why, unexplained) {
				t.Errorf("%s: %s is known to fail, and nobody says why: %s", name, c, why)
			}
		}
	}
}
