package generate

import (
	"encoding/json"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/nexmark"
)

const nexmarkKind = "nexmark"

// nexmarkBlock is how many rows in a row a partition gets.
const nexmarkBlock = 8192

// nexmarkTable is one of the benchmark's tables.
type nexmarkTable struct {
	Table  nexmark.Kind   `json:"table"`
	Config nexmark.Config `json:"config"`

	gen *nexmark.Generator
}

// openNexmark makes a table of Nexmark: table (person, auction or bid), events (1,000,000 of all kinds), tps (100,000, of event
// time), seed (1), partitions, disorder (0). All rows are there at once, unless rows-per-second says how many of the table's
// come in a second.
func openNexmark(o *options, _ *column.Schema) (*Table, error) {
	t := nexmarkTable{Table: -1, Config: nexmark.Config{Seed: o.number("seed", 1), TPS: o.count("tps", 100_000), Disorder: o.number("disorder", 0)}}
	name := o.take("table")
	for _, k := range nexmark.Kinds {
		if k.String() == name {
			t.Table = k
		}
	}
	if t.Table < 0 {
		o.fail("table", "must be person, auction or bid, not %q", name)
		return nil, o.err
	}
	if err := t.Config.Check(); err != nil {
		o.fail("tps", "cannot be: %v", err)
	}
	p := pace{Rate: o.count("rows-per-second", 0), Limit: max(1, t.Table.Rows(o.count("events", 1_000_000)))}
	conf, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	block := int64(nexmarkBlock)
	if p.Rate > 0 {
		block = 1
	}
	return &Table{schema: t.Table.Schema(), spec: Spec{Kind: nexmarkKind, Pace: p, Share: share{o.partitions(), block}, Conf: conf}}, o.err
}

func decodeNexmark(conf []byte) (*nexmarkTable, error) {
	t := &nexmarkTable{}
	err := json.Unmarshal(conf, t)
	if err == nil {
		t.gen = nexmark.NewGenerator(t.Config)
	}
	return t, err
}

func (t *nexmarkTable) schema() *column.Schema { return t.Table.Schema() }

// rows makes runs of consecutive rows at once.
func (t *nexmarkTable) rows(numbers, _ []int64, cols []int) []*column.Vector {
	var parts []*column.Batch
	for len(numbers) > 0 {
		n := 1
		for n < len(numbers) && numbers[n] == numbers[0]+int64(n) {
			n++
		}
		parts = append(parts, t.gen.Batch(t.Table, numbers[0], n))
		numbers = numbers[n:]
	}
	all := parts[0]
	if len(parts) > 1 {
		all = column.Concat(t.Table.Schema(), parts)
	}
	out := make([]*column.Vector, len(cols))
	for i, c := range cols {
		out[i] = all.Cols[c]
	}
	return out
}
