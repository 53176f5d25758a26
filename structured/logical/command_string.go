package logical

import (
	"fmt"
	"sort"
	"strings"
)

func (p *InsertInto) String() string {
	verb := "InsertInto "
	if p.Overwrite {
		verb = "InsertOverwrite "
	}
	s := verb + strings.Join(p.Table, ".")
	if len(p.Columns) > 0 {
		s += " (" + strings.Join(p.Columns, ", ") + ")"
	}
	if p.ByName {
		s += " by name"
	}
	return s
}

func (p *CreateTable) String() string {
	cols := make([]string, len(p.Columns))
	for i, f := range p.Columns {
		cols[i] = f.Name + " " + f.Type.String()
		if !f.Nullable {
			cols[i] += " NOT NULL"
		}
	}
	s := "CreateTable " + strings.Join(p.Name, ".") + " (" + strings.Join(cols, ", ") + ")"
	if p.Provider != "" {
		s += " using " + p.Provider
	}
	if p.Watermark != nil {
		s += fmt.Sprintf(", watermark %s delay %s", p.Watermark.Col, span(p.Watermark.Delay))
	}
	if len(p.Options) > 0 {
		s += ", options " + options(p.Options)
	}
	if p.Location != "" {
		s += ", location " + p.Location
	}
	return s + flag(p.IfNotExists, "if not exists") + flag(p.OrReplace, "or replace")
}

func (p *CreateView) String() string {
	s := "CreateView " + strings.Join(p.Name, ".")
	if len(p.Columns) > 0 {
		s += " (" + strings.Join(p.Columns, ", ") + ")"
	}
	return s + flag(p.Temporary, "temporary") + flag(p.OrReplace, "or replace")
}

func (p *Drop) String() string {
	what := "table "
	if p.View {
		what = "view "
	}
	return "Drop " + what + strings.Join(p.Name, ".") + flag(p.IfExists, "if exists")
}

func (p *Show) String() string {
	s := "Show " + p.What
	if len(p.Name) > 0 {
		s += " " + strings.Join(p.Name, ".")
	}
	if p.Pattern != "" {
		s += " like '" + p.Pattern + "'"
	}
	return s
}

func (p *Describe) String() string {
	return "Describe " + strings.Join(p.Name, ".") + flag(p.Extended, "extended")
}

func (p *Explain) String() string { return "Explain " + p.Mode }

func (p *SetConf) String() string {
	switch {
	case p.Reset:
		return strings.TrimSpace("Reset " + p.Key)
	case p.Value == nil:
		return strings.TrimSpace("Set " + p.Key)
	}
	return "Set " + p.Key + "=" + *p.Value
}

func (p *Use) String() string { return "Use " + strings.Join(p.Name, ".") }

func (p *CreateStream) String() string {
	s := "CreateStream " + p.Name + flag(p.Replace, "or replace")
	if len(p.Sink) > 0 {
		s += " into " + strings.Join(p.Sink, ".")
	}
	for _, o := range []struct{ word, v string }{{"format", p.Format}, {"mode", p.OutputMode}, {"trigger", p.Trigger}, {"start", p.Start}} {
		if o.v != "" {
			s += ", " + o.word + " " + o.v
		}
	}
	if len(p.Options) > 0 {
		s += ", options " + options(p.Options)
	}
	return s
}

func (p *StopStream) String() string {
	switch {
	case p.IfExists:
		return "DropStream if exists " + p.Name
	case p.Drop:
		return "DropStream " + p.Name
	}
	return "StopStream " + p.Name
}

// options prints a map in key order.
func options(m map[string]string) string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for i, k := range keys {
		keys[i] = k + "=" + m[k]
	}
	return "[" + strings.Join(keys, ", ") + "]"
}

func flag(on bool, word string) string {
	if on {
		return ", " + word
	}
	return ""
}
