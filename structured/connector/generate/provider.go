package generate

import (
	"context"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
)

// Provider opens the sources of one kind.
type Provider struct {
	open func(o *options, schema *column.Schema) (*Table, error)
}

// The providers, by Spark's and Flink's names.
var (
	Rate           = Provider{openRate}           // "rate"
	RateMicroBatch = Provider{openRateMicroBatch} // "rate-micro-batch"
	Datagen        = Provider{openDatagen}        // "datagen"
	Nexmark        = Provider{openNexmark}        // "nexmark"
)

// Open opens a source by its options.
func (p Provider) Open(_ context.Context, def catalog.TableDef) (logical.Table, error) {
	o := &options{provider: def.Provider, left: map[string]string{}}
	for k, v := range def.Options {
		o.left[strings.ToLower(k)] = v
	}
	t, err := p.open(o, def.Schema)
	if err == nil {
		err = o.end()
	}
	if err != nil {
		return nil, err
	}
	if def.Schema != nil && !def.Schema.Equal(t.schema) {
		return nil, usererr.New("INVALID_SCHEMA", "42K07", "A table of %s has the columns %s, not %s.", def.Provider, t.schema, def.Schema).WithFix("Leave the columns out.")
	}
	t.schema = withTime(t.schema)
	t.name, t.provider, t.options, t.now = def.Name, def.Provider, maps.Clone(def.Options), time.Now
	if t.spec.Pace.Batch > 0 {
		return stepped{t}, nil
	}
	return t, nil
}

// openRate is Spark's rate source: rowsPerSecond (1), rampUpTime (0 s), numPartitions.
func openRate(o *options, _ *column.Schema) (*Table, error) {
	p := pace{Rate: o.count("rowspersecond", 1), Ramp: o.delay("rampuptime", 0)}
	return &Table{schema: rateSchema, spec: Spec{Kind: rateKind, Pace: p, Share: share{o.partitions(), 1}}}, o.err
}

// openRateMicroBatch is Spark's rate-micro-batch source: rowsPerBatch, startTimestamp (0, milliseconds), advanceMillisPerBatch (1000),
// numPartitions. All rows of a batch have its time.
func openRateMicroBatch(o *options, _ *column.Schema) (*Table, error) {
	parts, batch := o.partitions(), o.count("rowsperbatch", 0)
	start, advance := o.number("starttimestamp", 0), o.count("advancemillisperbatch", 1000)
	if o.err == nil && batch == 0 {
		o.fail("rowsPerBatch", "must be given: the rows of each micro-batch")
	}
	if most := parts << 20; batch > most {
		o.fail("rowsPerBatch", "must be %d at the most for %d partitions, not %d", most, parts, batch)
	}
	return &Table{schema: rateSchema, fixed: true, first: start * 1000, spec: Spec{Kind: rateKind,
		Pace: pace{Batch: max(batch, 1), Advance: advance * 1000}, Share: share{parts, 1}}}, o.err
}

// options reads what a source was declared with; the first mistake is kept.
type options struct {
	provider string
	left     map[string]string // by lower-case name, not yet read
	err      error
}

func (o *options) take(name string) string {
	v := o.left[strings.ToLower(name)]
	delete(o.left, strings.ToLower(name))
	return v
}

func (o *options) fail(name, format string, args ...any) {
	if o.err == nil {
		o.err = usererr.New("INVALID_SOURCE_OPTION", "22023", "The option %s of %s "+format+".", append([]any{name, o.provider}, args...)...).In("option " + name)
	}
}

// number reads a whole number.
func (o *options) number(name string, otherwise int64) int64 {
	v := o.take(name)
	if v == "" {
		return otherwise
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		o.fail(name, "must be a whole number, not %q", v)
	}
	return n
}

// count reads a positive number up to a million millions.
func (o *options) count(name string, otherwise int64) int64 {
	n := o.number(name, otherwise)
	if n != otherwise && (n < 1 || n > 1e12) {
		o.fail(name, "must be from 1 to 1000000000000, not %d", n)
		return 1
	}
	return n
}

// partitions are the source's; as many tasks run at a time.
func (o *options) partitions() int64 {
	name := "numpartitions"
	if o.left["partitions"] != "" {
		name = "partitions"
	}
	n := o.count(name, 1)
	if n > 1024 {
		o.fail(name, "must be 1024 at the most, not %d", n)
		return 1
	}
	return n
}

// delay reads a length of time in microseconds.
func (o *options) delay(name string, otherwise int64) int64 {
	v := o.take(name)
	if v == "" {
		return otherwise
	}
	if d, err := time.ParseDuration(v); err == nil && d >= 0 {
		return d.Microseconds()
	}
	n, err := structured.ParseDelay(v)
	if err != nil || n < 0 {
		o.fail(name, "must be a length of time such as 5s, not %q", v)
	}
	return n
}

// end is the first mistake; an option that nobody has read is one.
func (o *options) end() error {
	for name := range o.left {
		switch name {
		case logical.OptionEventTime, logical.OptionDelayMs, "path":
		default:
			o.fail(name, "does not exist")
		}
	}
	return o.err
}
