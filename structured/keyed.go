package structured

import (
	"strings"

	"github.com/streamflow/streamflow/structured/cep"
	"github.com/streamflow/streamflow/structured/logical"
)

// KeyedFrame is a DataFrame whose rows are handled key by key.
type KeyedFrame struct {
	d     *DataFrame
	keys  []string
	order []string
}

// KeyBy begins what is done for each combination of the columns' values; none is one key for all rows.
func (d *DataFrame) KeyBy(columns ...string) *KeyedFrame { return &KeyedFrame{d: d, keys: columns} }

// OrderBy is the order of a key's rows, ascending. Over a stream the first column is one with a watermark.
func (k *KeyedFrame) OrderBy(columns ...string) *KeyedFrame {
	c := *k
	c.order = columns
	return &c
}

// Process gives the rows to a function that was registered with process.Register, in the order of OrderBy, and is its results.
func (k *KeyedFrame) Process(function string) *DataFrame {
	return k.over("SELECT * FROM " + quoteName(function) + "(TABLE " + rowsName + " " + k.clauses() + ")")
}

// Match finds a pattern in the rows (MATCH_RECOGNIZE) and has a row for each match, or for each row of a match.
func (k *KeyedFrame) Match(p *cep.Pattern) *DataFrame {
	body, err := p.SQL()
	if err != nil {
		return k.d.then(invalidValue("pattern", body, err.Error()), nil)
	}
	return k.over("SELECT * FROM " + rowsName + " MATCH_RECOGNIZE (" + k.clauses() + " " + body + ")")
}

// rowsName is what the text of a query calls the DataFrame that it is over.
const rowsName = "__rows"

func (k *KeyedFrame) over(text string) *DataFrame {
	return k.d.then(nil, func() logical.Plan {
		return &logical.With{Names: []string{rowsName}, Plans: []logical.Plan{k.d.plan}, Child: &logical.SQLText{Text: text}}
	})
}

func (k *KeyedFrame) clauses() string {
	var b strings.Builder
	if len(k.keys) > 0 {
		b.WriteString("PARTITION BY " + quoteAll(k.keys))
	}
	if len(k.order) > 0 {
		b.WriteString(" ORDER BY " + quoteAll(k.order))
	}
	return b.String()
}

func quoteAll(names []string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = quoteName(n)
	}
	return strings.Join(out, ", ")
}

func quoteName(n string) string { return "`" + strings.ReplaceAll(n, "`", "``") + "`" }
