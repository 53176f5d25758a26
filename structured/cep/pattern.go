// Package cep describes patterns over the rows of a stream as Go values: Flink's pattern API over MATCH_RECOGNIZE.
//
//	p := cep.Begin("small").Where("amount < 1").
//		FollowedBy("large").Where("amount > 500").
//		Within(10 * time.Minute).
//		Select("first(small.ts) AS since, large.amount AS amount")
//	alerts := payments.KeyBy("account").OrderBy("ts").Match(p)
//
// A pattern is text in the end (SQL): it can be looked at, and it runs over history and live as that does. The package parses
// and runs nothing.
package cep

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Pattern is a sequence of steps. Its methods return it, changed; each speaks of the step that was begun last, or of the whole.
type Pattern struct {
	steps    []*step
	measures []string
	within   time.Duration
	skip     string
	allRows  bool
	timeouts bool
	every    bool // each way to match counts
	err      error
}

// step is rows that are one variable, and what may stand before them.
type step struct {
	name      string
	conds     []string
	min, max  int // max -1: without end
	reluctant bool
	not       bool
	gap       gap
}

// gap is which rows may lie between a step and the one before.
type gap uint8

const (
	none    gap = iota // none: they follow each other
	relaxed            // those that are not the step
	anyGap             // all
)

// Begin begins a pattern with a step: a variable that conditions and measures know by the name.
func Begin(name string) *Pattern { return (&Pattern{}).add(name, none, false) }

func (p *Pattern) add(name string, g gap, not bool) *Pattern {
	for _, s := range p.steps {
		if strings.EqualFold(s.name, name) {
			p.fail("two steps are called %s", name)
		}
	}
	p.steps = append(p.steps, &step{name: name, min: 1, max: 1, gap: g, not: not})
	return p
}

func (p *Pattern) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
}

func (p *Pattern) last() *step { return p.steps[len(p.steps)-1] }

// Next adds a step whose first row is the very next one.
func (p *Pattern) Next(name string) *Pattern { return p.add(name, none, false) }

// FollowedBy adds a step before which rows that are not it are passed over.
func (p *Pattern) FollowedBy(name string) *Pattern { return p.add(name, relaxed, false) }

// FollowedByAny adds a step before which any rows are passed over: each row that can be it makes a match of its own.
func (p *Pattern) FollowedByAny(name string) *Pattern {
	p.every = true
	return p.add(name, anyGap, false)
}

// NotFollowedBy says that no such row lies between the step before and the one after, or, as the last step, that none comes
// within the time of Within.
func (p *Pattern) NotFollowedBy(name string) *Pattern { return p.add(name, relaxed, true) }

// Where is when a row can be the step, as SQL; more than one must all hold. Columns of other steps are named by them: small.amount.
func (p *Pattern) Where(condition string) *Pattern {
	p.last().conds = append(p.last().conds, condition)
	return p
}

// Times is how often the step comes; max is -1 for without end.
func (p *Pattern) Times(min, max int) *Pattern {
	s := p.last()
	if s.not || min < 0 || max >= 0 && max < min || max == 0 {
		p.fail("the step %s cannot come %d to %d times", s.name, min, max)
	}
	s.min, s.max = min, max
	return p
}

// OneOrMore is Times(1, -1), Optional Times(0, 1).
func (p *Pattern) OneOrMore() *Pattern { return p.Times(1, -1) }
func (p *Pattern) Optional() *Pattern  { return p.Times(0, 1) }

// Reluctant takes as few rows for the step as the pattern allows, instead of as many.
func (p *Pattern) Reluctant() *Pattern {
	p.last().reluctant = true
	return p
}

// Within bounds the time from the first row to the last.
func (p *Pattern) Within(d time.Duration) *Pattern {
	p.within = d
	return p
}

// Timeouts sends matches that Within ends before they are complete to the side output <query>.timeout.
func (p *Pattern) Timeouts() *Pattern {
	p.timeouts = true
	return p
}

// Select are the columns of a match, as the MEASURES of MATCH_RECOGNIZE: "last(b.ts) AS ended, avg(b.v) AS mean".
func (p *Pattern) Select(measures ...string) *Pattern {
	p.measures = append(p.measures, measures...)
	return p
}

// AllRows has a row for each row of a match instead of one for the match.
func (p *Pattern) AllRows() *Pattern {
	p.allRows = true
	return p
}

// SkipPastLast goes on behind a match's last row (the default), SkipToNext behind its first, SkipTo at the last row of a step.
func (p *Pattern) SkipPastLast() *Pattern      { p.skip = "PAST LAST ROW"; return p }
func (p *Pattern) SkipToNext() *Pattern        { p.skip = "TO NEXT ROW"; return p }
func (p *Pattern) SkipTo(name string) *Pattern { p.skip = "TO LAST " + quote(name); return p }
func quote(name string) string                 { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }
func and(list []string) string                 { return "(" + strings.Join(list, ") AND (") + ")" }

// notCond is that a row, which is the variable as, would not be the step: what the step's conditions call by the step's name is
// then the row.
func notCond(s *step, as string) string {
	own := regexp.MustCompile("(?i)(^|[^\\w.`'])(`" + regexp.QuoteMeta(s.name) + "`|" + regexp.QuoteMeta(s.name) + ")\\.")
	return "NOT coalesce(" + own.ReplaceAllString(and(s.conds), "${1}"+as+".") + ", false)"
}

// SQL is the pattern as clauses of MATCH_RECOGNIZE, from MEASURES on.
func (p *Pattern) SQL() (string, error) {
	if p.err == nil {
		p.check()
	}
	if p.err != nil {
		return "", p.err
	}
	var rows, defines []string
	var nots []*step
	for i, s := range p.steps {
		if s.not {
			nots = append(nots, s)
			if i < len(p.steps)-1 {
				continue
			}
		}
		if g := p.gap(i, s, nots); g != "" {
			name := quote(fmt.Sprintf("gap%d", i))
			rows = append(rows, "{- "+name+g+" -}")
			if cond := gapCond(s, nots, name); cond != "" {
				defines = append(defines, name+" AS "+cond)
			}
		}
		if s.not {
			rows = append(rows, "$")
			break
		}
		nots = nil
		rows = append(rows, quote(s.name)+s.quantifier())
		if len(s.conds) > 0 {
			defines = append(defines, quote(s.name)+" AS "+and(s.conds))
		}
	}
	return p.clauses(strings.Join(rows, " "), defines), nil
}

func (p *Pattern) check() {
	switch last := p.last(); {
	case p.steps[0].not:
		p.err = errors.New("a pattern begins with rows, not with their absence")
	case last.not && p.within <= 0:
		p.fail("without Within nobody knows when %s has not come", last.name)
	case p.timeouts && p.within <= 0:
		p.err = errors.New("without Within nothing times out")
	case p.every && p.allRows:
		p.err = errors.New("FollowedByAny gives matches that overlap, whose rows AllRows could not tell apart")
	case len(p.measures) == 0 && !p.allRows:
		p.err = errors.New("Select says what a match's row has")
	}
	for _, s := range p.steps {
		if s.not && len(s.conds) == 0 {
			p.fail("the step %s has no condition: no row at all could lie there; use Next", s.name)
		}
	}
}

// gap is the quantifier of the rows before a step, "" when there are none.
func (p *Pattern) gap(i int, s *step, nots []*step) string {
	switch {
	case i == 0:
		return ""
	case s.gap == anyGap:
		return "*?"
	case s.not:
		return "*"
	case s.gap == relaxed || len(nots) > 0:
		return "*?"
	}
	return ""
}

// gapCond is what rows before a step are: not the step itself, and nothing that must not come.
func gapCond(s *step, nots []*step, as string) string {
	var list []string
	if s.gap == relaxed && !s.not && len(s.conds) > 0 {
		list = append(list, notCond(s, as))
	}
	for _, n := range nots {
		list = append(list, notCond(n, as))
	}
	if len(list) == 0 {
		return ""
	}
	return and(list)
}

func (s *step) quantifier() string {
	q := ""
	switch {
	case s.min == 1 && s.max == 1:
		return ""
	case s.max < 0:
		q = fmt.Sprintf("{%d,}", s.min)
	default:
		q = fmt.Sprintf("{%d,%d}", s.min, s.max)
	}
	if s.reluctant {
		q += "?"
	}
	return q
}

func (p *Pattern) clauses(rows string, defines []string) string {
	var b strings.Builder
	if len(p.measures) > 0 {
		b.WriteString("MEASURES " + strings.Join(p.measures, ", ") + " ")
	}
	if p.allRows {
		b.WriteString("ALL ROWS PER MATCH ")
	}
	switch {
	case p.skip != "":
		b.WriteString("AFTER MATCH SKIP " + p.skip + " ")
	case p.every:
		b.WriteString("AFTER MATCH NO SKIP ")
	}
	b.WriteString("PATTERN (" + rows + ")")
	if p.within > 0 {
		fmt.Fprintf(&b, " WITHIN INTERVAL '%g' SECOND", p.within.Seconds())
		if p.timeouts {
			b.WriteString(" EMIT TIMEOUTS")
		}
	}
	if len(defines) > 0 {
		b.WriteString(" DEFINE " + strings.Join(defines, ", "))
	}
	return b.String()
}
