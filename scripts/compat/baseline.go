package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// baseline is the record: by suite and size of the cluster, how many cases ran and which fail for a reason that is known.
type baseline map[string]*record

// record of one suite. Ran counts passed and failed cases: fewer than that means that tests have gone missing.
type record struct {
	Ran   int               `json:"ran"`
	Known map[string]string `json:"known"` // case -> why it fails
}

// result is what a suite's run showed.
type result struct {
	cases  []testCase
	second []string // cases that passed only at the second try
	skip   string   // why the suite was not run
	broken error    // why it could not be run to its end
}

// verdict is a result held against the record.
type verdict struct {
	regressions []testCase
	known       int      // failures with a reason
	mended      []string // known failures that passed
	gone        int      // cases fewer than recorded
}

func loadBaseline(path string) (baseline, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return baseline{}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("baseline: %w", err)
	}
	var base baseline
	if err := json.Unmarshal(b, &base); err != nil {
		return nil, fmt.Errorf("baseline %s: %w", path, err)
	}
	return base, nil
}

func key(suite string, nodes int) string { return fmt.Sprintf("%s/%d", suite, nodes) }

// of is the record of a suite, or an empty one.
func (b baseline) of(suite string, nodes int) record {
	if r := b[key(suite, nodes)]; r != nil {
		return *r
	}
	return record{}
}

// judge holds a result against the record.
func (r record) judge(res result) verdict {
	v := verdict{}
	if res.skip != "" {
		return v
	}
	if res.broken != nil {
		v.regressions = append(v.regressions, testCase{name: "(the suite)", outcome: failed, message: res.broken.Error()})
	}
	ran := 0
	for _, c := range res.cases {
		_, known := r.Known[c.name]
		switch {
		case c.outcome == failed && known:
			v.known++
		case c.outcome == failed:
			v.regressions = append(v.regressions, c)
		case c.outcome == passed && known:
			v.mended = append(v.mended, c.name)
		}
		if c.outcome != skipped {
			ran++
		}
	}
	if v.gone = max(0, r.Ran-ran); v.gone > 0 && res.broken == nil {
		v.regressions = append(v.regressions, testCase{name: "(the suite)", outcome: failed, message: fmt.Sprintf("%d cases ran, %d are recorded", ran, r.Ran)})
	}
	return v
}

// record keeps what a run showed; reasons of failures that stay are kept.
func (b baseline) record(suite string, nodes int, res result) {
	if res.skip != "" || res.broken != nil {
		return
	}
	old, now := b.of(suite, nodes), &record{Known: map[string]string{}}
	for _, c := range res.cases {
		if c.outcome != skipped {
			now.Ran++
		}
		if c.outcome == failed {
			now.Known[c.name] = or(old.Known[c.name], unexplained+c.message)
		}
	}
	b[key(suite, nodes)] = now
}

// unexplained begins the reason of a failure that nobody has looked into yet.
const unexplained = "not looked into: "

func (b baseline) save(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return fmt.Errorf("baseline: %w", err)
	}
	return os.WriteFile(path, append(text, '\n'), 0o644)
}

// names are the record's keys in order.
func (b baseline) names() []string { return slices.Sorted(maps.Keys(b)) }
