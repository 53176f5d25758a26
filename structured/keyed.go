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

	initial, broadcast *DataFrame
	initialKeys        []string
	broadcastOrder     []string
}

// KeyBy begins what is done for each combination of the columns' values; none is one key for all rows.
func (d *DataFrame) KeyBy(columns ...string) *KeyedFrame { return &KeyedFrame{d: d, keys: columns} }

// OrderBy is the order of a key's rows, ascending. Over a stream the first column is one with a watermark.
func (k *KeyedFrame) OrderBy(columns ...string) *KeyedFrame {
	c := *k
	c.order = columns
	return &c
}

// Initial fills the state of a function that is registered with process.WithInitial from rows, by their columns for the keys, before
// the first row of a key: when a query begins, not when it goes on.
func (k *KeyedFrame) Initial(rows *DataFrame, keys ...string) *KeyedFrame {
	c := *k
	c.initial, c.initialKeys = rows, keys
	return &c
}

// Broadcast gives a function that is registered with process.WithBroadcast rows that are there for all keys, in the order of a
// column of event time, or as they arrive when there is none.
func (k *KeyedFrame) Broadcast(rows *DataFrame, order ...string) *KeyedFrame {
	c := *k
	c.broadcast, c.broadcastOrder = rows, order
	return &c
}

// Process gives the rows to a function that was registered with process.Register, in the order of OrderBy, and is its results.
func (k *KeyedFrame) Process(function string) *DataFrame {
	more := ""
	if k.initial != nil {
		more += ", INITIAL TABLE " + initialName + " PARTITION BY " + quoteAll(k.initialKeys)
	}
	if k.broadcast != nil {
		more += ", BROADCAST TABLE " + broadcastName
		if len(k.broadcastOrder) > 0 {
			more += " ORDER BY " + quoteAll(k.broadcastOrder)
		}
	}
	return k.over("SELECT * FROM " + quoteName(function) + "(TABLE " + rowsName + " " + k.clauses() + more + ")")
}

// Match finds a pattern in the rows (MATCH_RECOGNIZE) and has a row for each match, or for each row of a match.
func (k *KeyedFrame) Match(p *cep.Pattern) *DataFrame {
	body, err := p.SQL()
	if err != nil {
		return k.d.then(invalidValue("pattern", body, err.Error()), nil)
	}
	return k.over("SELECT * FROM " + rowsName + " MATCH_RECOGNIZE (" + k.clauses() + " " + body + ")")
}

// rowsName is what the text of a query calls the DataFrame that it is over; the others are those beside it.
const (
	rowsName      = "__rows"
	initialName   = "__initial"
	broadcastName = "__broadcast"
)

func (k *KeyedFrame) over(text string) *DataFrame {
	for _, d := range []*DataFrame{k.initial, k.broadcast} {
		if d != nil && d.err != nil {
			return d
		}
	}
	return k.d.then(nil, func() logical.Plan {
		with := &logical.With{Names: []string{rowsName}, Plans: []logical.Plan{k.d.plan}, Child: &logical.SQLText{Text: text}}
		if k.initial != nil {
			with.Names, with.Plans = append(with.Names, initialName), append(with.Plans, k.initial.plan)
		}
		if k.broadcast != nil {
			with.Names, with.Plans = append(with.Names, broadcastName), append(with.Plans, k.broadcast.plan)
		}
		return with
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
