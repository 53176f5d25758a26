package logical

import (
	"fmt"
	"strings"
	"time"
)

// Format draws the tree, one node a line, as explain prints it:
//
//	Project [a#1]
//	+- Join Inner, (a#1 = b#2)
//	   :- Scan t [a#1]
//	   +- Scan u [b#2]
func Format(p Plan) string { return FormatWith(p, func(Plan) string { return "" }) }

// FormatWith is Format with a note behind each node.
func FormatWith(p Plan, note func(Plan) string) string {
	var b strings.Builder
	format(&b, p, "", "", note)
	return b.String()
}

func format(b *strings.Builder, p Plan, head, rest string, note func(Plan) string) {
	b.WriteString(head + p.String() + note(p) + "\n")
	kids := p.Children()
	for i, k := range kids {
		if i < len(kids)-1 {
			format(b, k, rest+":- ", rest+":  ", note)
		} else {
			format(b, k, rest+"+- ", rest+"   ", note)
		}
	}
}

func list[E fmt.Stringer](items []E) string {
	parts := make([]string, len(items))
	for i, e := range items {
		parts[i] = e.String()
	}
	return strings.Join(parts, ", ")
}

func span(us int64) string { return (time.Duration(us) * time.Microsecond).String() }

func (p *PlanID) String() string { return fmt.Sprintf("PlanID %d", p.ID) }

func (p *Scan) String() string {
	s := "Scan "
	if p.Streaming {
		s = "StreamScan "
	}
	s += fmt.Sprintf("%s %s [%s]", p.Table.Provider(), p.Table.Name(), list(p.Attrs))
	if len(p.Filters) > 0 {
		s += ", filters: [" + list(p.Filters) + "]"
	}
	if p.Limit > 0 {
		s += fmt.Sprintf(", limit: %d", p.Limit)
	}
	return s + bounds(p.Options)
}

// bounds shows the part of history that a scan is confined to.
func bounds(options map[string]string) string {
	s := ""
	for _, o := range []struct{ key, word string }{{OptionFrom, "from"}, {OptionTo, "to"}} {
		if v, ok := options[o.key]; ok {
			s += ", " + o.word + ": " + v
		}
	}
	return s
}

func (p *Local) String() string {
	rows := 0
	for _, b := range p.Batches {
		rows += b.N
	}
	if p.Attrs == nil {
		return fmt.Sprintf("'Local [%s], %d rows", p.Schema, rows)
	}
	return fmt.Sprintf("Local [%s], %d rows", list(p.Attrs), rows)
}

func (p *Range) String() string {
	return fmt.Sprintf("Range (%d, %d, step=%d) [%s]", p.Start, p.End, p.Step, list(p.Output()))
}

func (p *Project) String() string { return mark(p) + "Project [" + list(p.List) + "]" }
func (p *Filter) String() string  { return mark(p) + "Filter " + p.Cond.String() }

func (p *Aggregate) String() string {
	s := fmt.Sprintf("%sAggregate keys: [%s], out: [%s]", mark(p), list(p.Keys), list(p.List))
	if p.Having != nil {
		s += ", having: " + p.Having.String()
	}
	return s
}

func (p *Sort) String() string {
	scope := ""
	if !p.Global {
		scope = ", within partitions"
	}
	return mark(p) + "Sort [" + list(p.Orders) + "]" + scope
}

func (p *Limit) String() string {
	switch {
	case p.N < 0:
		return fmt.Sprintf("Offset %d", p.Offset)
	case p.Offset > 0:
		return fmt.Sprintf("Limit %d, offset %d", p.N, p.Offset)
	}
	return fmt.Sprintf("Limit %d", p.N)
}

func (p *Tail) String() string { return fmt.Sprintf("Tail %d", p.N) }

func (p *Join) String() string {
	s := mark(p) + "Join " + p.Kind.String()
	if p.Natural {
		s += ", natural"
	}
	if len(p.Using) > 0 {
		s += ", using (" + strings.Join(p.Using, ", ") + ")"
	}
	if p.Cond != nil {
		s += ", " + p.Cond.String()
	}
	if p.Hint != "" {
		s += ", hint: " + p.Hint
	}
	return s
}

func (p *Union) String() string {
	s := mark(p) + "Union"
	if p.ByName {
		s += " by name"
	}
	if p.Attrs != nil {
		s += " [" + list(p.Attrs) + "]"
	}
	return s
}

func (p *Dedup) String() string {
	s := mark(p) + "Dedup"
	if p.WithinWatermark {
		s += " within watermark"
	}
	return s + " [" + list(p.Cols) + "]"
}

func (p *SubqueryAlias) String() string {
	s := "SubqueryAlias " + p.Alias
	if len(p.Names) > 0 {
		s += "(" + strings.Join(p.Names, ", ") + ")"
	}
	return s
}

func (p *Watermark) String() string {
	return fmt.Sprintf("%sWatermark %s, delay %s", mark(p), p.Col, span(p.Delay))
}

func (p *Window) String() string {
	if p.Gap != nil {
		return fmt.Sprintf("%sSessionWindow %s, gap %s, as %s", mark(p), p.Time, p.Gap, p.Attr)
	}
	if p.Rows != "" {
		return fmt.Sprintf("%sCountWindow %s, %d rows each %d, as %s", mark(p), p.Time, p.Size, p.Slide, p.Attr)
	}
	s := fmt.Sprintf("%sWindow %s, size %s", mark(p), p.Time, span(p.Size))
	if p.Cumulate != 0 {
		s += ", cumulating over " + span(p.Cumulate)
	}
	if p.Slide != p.Size {
		s += ", slide " + span(p.Slide)
	}
	if p.Start != 0 {
		s += ", start " + span(p.Start)
	}
	return s + ", as " + p.Attr.String()
}

func (p *Generate) String() string {
	outer := ""
	if p.Gen.Outer {
		outer = "outer "
	}
	return fmt.Sprintf("%sGenerate %s%s as [%s]", mark(p), outer, p.Gen, list(p.Attrs))
}

func (p *Repartition) String() string {
	s := fmt.Sprintf("%sRepartition %d", mark(p), p.N)
	if len(p.Keys) > 0 {
		s += " by [" + list(p.Keys) + "]"
	}
	return s
}

func (p *Sample) String() string {
	return fmt.Sprintf("Sample %v to %v, seed %d", p.Lower, p.Upper, p.Seed) + flag(p.Replace, "with replacement")
}

func (p *Hint) String() string {
	if len(p.Args) > 0 {
		return "Hint " + p.Name + "(" + strings.Join(p.Args, ", ") + ")"
	}
	return "Hint " + p.Name
}
func (p *ToDF) String() string { return "'ToDF [" + strings.Join(p.Names, ", ") + "]" }
func (p *With) String() string { return "'With [" + strings.Join(p.Names, ", ") + "]" }

func (p *Run) String() string {
	s := "'Run history"
	if p.Live {
		s = "'Run live"
	}
	if p.From != nil {
		s += fmt.Sprintf(", from %s", stamp(*p.From))
	}
	if p.To != nil {
		s += fmt.Sprintf(", to %s", stamp(*p.To))
	}
	return s
}

func stamp(us int64) string { return time.UnixMicro(us).UTC().Format("2006-01-02T15:04:05.999999Z") }

// mark is the sign of an unresolved node.
func mark(p Plan) string {
	if p.Resolved() {
		return ""
	}
	return "'"
}
