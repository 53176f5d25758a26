package oracle

import (
	"bufio"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/streamflow/streamflow/structured"
)

// Golden is a statement and what Spark answers.
type Golden struct {
	Name string            `json:"name"`
	SQL  string            `json:"sql"`
	Conf map[string]string `json:"conf"`
	Verdict
	Differs bool `json:"differs,omitempty"` // StreamFlow answered in another way when this was written
}

// Judge runs the statement in a session, with its settings.
func (g Golden) Judge(ctx context.Context, s *structured.Session) (v Verdict, err error) {
	for key, value := range g.Conf {
		if err := s.Conf().Set(ctx, key, value); err != nil {
			return v, err
		}
	}
	return Judge(ctx, s, g.SQL)
}

// Compare returns an error that says how v differs from Spark's answer, nil when it does not: types and rows, or the class of the error's condition. Where Spark fails
// with an exception of Java's, any error will do. Doubles are compared within a relative distance of 1e-9, rows as a bag.
func (g Golden) Compare(v Verdict) error {
	switch {
	case v.Condition != "" && g.Condition != "" && (g.SQLState == "" || class(v.Condition) == class(g.Condition)):
		return nil
	case v.Condition != "" || g.Condition != "":
		return fmt.Errorf("got %s, want %s", outcome(v), outcome(g.Verdict))
	}
	if got, want := strings.ToLower(strings.Join(v.Types, ", ")), strings.ToLower(strings.Join(g.Types, ", ")); strings.ReplaceAll(got, " ", "") != strings.ReplaceAll(want, " ", "") {
		return fmt.Errorf("type %s, want %s", got, want)
	}
	v.Columns = make([]string, len(v.Types))
	return Compare(v.Result, g.Result, false)
}

// class is a condition without what stands behind its point.
func class(condition string) string {
	c, _, _ := strings.Cut(condition, ".")
	return c
}

func outcome(v Verdict) string {
	if v.Condition != "" {
		return v.Condition + " (" + strings.SplitN(v.Error, "\n", 2)[0] + ")"
	}
	var rows []string
	for _, r := range v.Rows[:min(len(v.Rows), 4)] {
		rows = append(rows, line(r))
	}
	return strings.Join(v.Types, ", ") + ": " + strings.Join(rows, "; ")
}

// SaveGolden writes answers, one a line, compressed.
func SaveGolden(path string, list []Golden) (err error) {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return fmt.Errorf("oracle: %w", err)
	}
	out := json.NewEncoder(z)
	out.SetEscapeHTML(false)
	for _, g := range list {
		g.Error = "" // prose of Spark's; the condition says enough
		if err := out.Encode(g); err != nil {
			return fmt.Errorf("oracle: %w", err)
		}
	}
	return z.Close()
}

// LoadGolden reads what SaveGolden wrote.
func LoadGolden(path string) (list []Golden, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	defer f.Close()
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		return nil, fmt.Errorf("oracle: %s: %w", path, err)
	}
	in := json.NewDecoder(z)
	for {
		var g Golden
		if err := in.Decode(&g); err == io.EOF {
			return list, nil
		} else if err != nil {
			return nil, fmt.Errorf("oracle: %s: %w", path, err)
		}
		list = append(list, g)
	}
}
