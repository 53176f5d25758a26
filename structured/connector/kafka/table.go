package kafka

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
)

// Formats of records.
const (
	rawFormat  = "raw"
	jsonFormat = "json"
)

// rawSchema are the columns of a topic without declared ones, as Spark's Kafka source has them.
var rawSchema = column.NewSchema(
	column.Field{Name: "key", Type: column.Of(column.Binary), Nullable: true},
	column.Field{Name: "value", Type: column.Of(column.Binary), Nullable: true},
	column.Field{Name: "topic", Type: column.Of(column.String)},
	column.Field{Name: "partition", Type: column.Of(column.Int32)},
	column.Field{Name: "offset", Type: column.Of(column.Int64)},
	column.Field{Name: "timestamp", Type: column.Of(column.Timestamp)},
	column.Field{Name: "timestampType", Type: column.Of(column.Int32)},
)

var hiddenFields = []column.Field{
	{Name: connector.ColTopic, Type: column.Of(column.String)},
	{Name: connector.ColPartition, Type: column.Of(column.Int32)},
	{Name: connector.ColOffset, Type: column.Of(column.Int64)},
	{Name: connector.ColTimestamp, Type: column.Of(column.Timestamp)},
	{Name: connector.ColKey, Type: column.Of(column.Binary), Nullable: true},
}

// Table is a topic elsewhere.
type Table struct {
	name    string
	topic   string
	format  string
	cluster Cluster
	fields  *column.Schema // declared; of a raw topic, all
	schema  *column.Schema
	options map[string]string
	timeout time.Duration // of transactions

	mu    sync.Mutex
	adm   *admin // made when first needed
	parts int    // of a stream that is planned
}

var (
	_ connector.StreamReader = (*Table)(nil)
	_ connector.Writer       = (*Table)(nil)
)

// Provider opens topics of clusters that the option kafka.bootstrap.servers names, and those of the node itself without it.
type Provider struct{ Local catalog.Provider }

// Remote reports whether options name a cluster.
func Remote(options map[string]string) bool { return lower(options)[Servers] != "" }

func lower(options map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range options {
		out[strings.ToLower(k)] = v
	}
	return out
}

// Open opens a topic without asking for it: what it has is seen when it is read.
func (p Provider) Open(ctx context.Context, def catalog.TableDef) (logical.Table, error) {
	if !Remote(def.Options) {
		return p.Local.Open(ctx, def)
	}
	o := lower(def.Options)
	c, err := clusterOf(o)
	if err != nil {
		return nil, err
	}
	t := &Table{name: def.Name, cluster: c, format: strings.ToLower(o["format"]), options: maps.Clone(def.Options), timeout: 15 * time.Minute}
	for _, k := range []string{"path", "subscribe", "topic"} {
		if o[k] != "" {
			t.topic = o[k]
		}
	}
	if t.topic == "" {
		return nil, badOption("topic", "must name a topic")
	}
	if v := o["kafka.transaction.timeout.ms"]; v != "" {
		if t.timeout, err = time.ParseDuration(v + "ms"); err != nil || t.timeout < time.Second {
			return nil, badOption("kafka.transaction.timeout.ms", "must be a number of milliseconds from 1000, not %q", v)
		}
	}
	return t, t.columns(def.Schema)
}

// columns settles the format: json where columns are declared, else raw.
func (t *Table) columns(declared *column.Schema) error {
	has := declared != nil && declared.Len() > 0 && !(t.format != jsonFormat && isRaw(declared))
	switch {
	case t.format == "" && has:
		t.format = jsonFormat
	case t.format == "":
		t.format = rawFormat
	case t.format == jsonFormat && !has:
		return usererr.New("INVALID_SCHEMA.MISSING", "42K07", "A kafka table of format json needs columns.").WithFix("Declare them, or leave the format out to read key and value.")
	case t.format == rawFormat && has:
		return usererr.New("INVALID_SCHEMA", "42K07", "A kafka table of format raw has the columns %s.", rawSchema).WithFix("Leave the columns out, or set format to json.")
	case t.format != jsonFormat && t.format != rawFormat:
		return badOption("format", "must be raw or json, not %q", t.format)
	}
	if t.format == rawFormat {
		t.fields, t.schema = rawSchema, rawSchema
		return nil
	}
	t.fields = declared
	t.schema = column.NewSchema(append(slices.Clone(declared.Fields), hiddenFields...)...)
	return nil
}

// isRaw reports whether columns are those of Spark's Kafka source or sink.
func isRaw(s *column.Schema) bool {
	value := false
	for _, f := range s.Fields {
		if rawSchema.Index(f.Name) < 0 {
			return false
		}
		value = value || f.Name == "value"
	}
	return value
}

func (t *Table) Name() string               { return t.name }
func (t *Table) Schema() *column.Schema     { return t.schema }
func (t *Table) Hidden() int                { return t.schema.Len() - t.fields.Len() }
func (t *Table) Provider() string           { return "kafka" }
func (t *Table) Options() map[string]string { return t.options }

// admin is a client for questions: by what kadm knows, and by plain requests.
type admin struct {
	*kadm.Client
	requests *kgo.Client
}

// admin is the table's client for questions.
func (t *Table) admin() (*admin, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.adm == nil {
		cl, err := t.cluster.client()
		if err != nil {
			return nil, err
		}
		t.adm = &admin{kadm.NewClient(cl), cl}
	}
	return t.adm, nil
}

// Close lets go of the connection for questions; the next question makes a new one.
func (t *Table) Close() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.adm != nil {
		t.adm.requests.Close()
		t.adm = nil
	}
	return nil
}

// list asks for an offset of each partition.
func (t *Table) list(ctx context.Context, ask func(*admin, context.Context) (kadm.ListedOffsets, error)) (connector.Offsets, error) {
	adm, err := t.admin()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	listed, err := ask(adm, ctx)
	if err == nil {
		err = listed.Error()
	}
	if err != nil {
		return nil, t.cluster.unreachable(ctx, "offsets of topic "+t.topic, err)
	}
	parts := listed[t.topic]
	if len(parts) == 0 {
		return nil, usererr.New("UNKNOWN_TOPIC", "42P01", "The cluster %s has no topic %s.", strings.Join(t.cluster.Servers, ","), t.topic)
	}
	out := make(connector.Offsets, len(parts))
	for p, o := range parts {
		if int(p) >= len(out) {
			return nil, t.cluster.unreachable(ctx, "offsets of topic "+t.topic, fmt.Errorf("%d partitions answered, number %d among them", len(out), p))
		}
		out[p] = o.Offset
	}
	return out, nil
}

func (t *Table) ends(ctx context.Context) (connector.Offsets, error) {
	return t.list(ctx, func(a *admin, ctx context.Context) (kadm.ListedOffsets, error) {
		return a.ListCommittedOffsets(ctx, t.topic)
	})
}

func (t *Table) starts(ctx context.Context) (connector.Offsets, error) {
	return t.list(ctx, func(a *admin, ctx context.Context) (kadm.ListedOffsets, error) {
		return a.ListStartOffsets(ctx, t.topic)
	})
}

// after are the first offsets at or after a time in microseconds, the ends where there is none.
func (t *Table) after(ctx context.Context, micros int64) (connector.Offsets, error) {
	ms := micros / 1000
	if micros%1000 > 0 {
		ms++
	}
	return t.list(ctx, func(a *admin, ctx context.Context) (kadm.ListedOffsets, error) {
		return a.ListOffsetsAfterMilli(ctx, ms, t.topic)
	})
}

// Begin is where a streaming query starts.
func (t *Table) Begin(ctx context.Context, s connector.Start) (connector.Offsets, error) {
	switch s.Mode {
	case "now":
		return t.ends(ctx)
	case "time":
		return t.after(ctx, s.Time)
	}
	return t.starts(ctx)
}

// Available is the committed part of the topic.
func (t *Table) Available(ctx context.Context) (connector.Availability, error) {
	end, err := t.ends(ctx)
	t.mu.Lock()
	planned := t.parts
	t.mu.Unlock()
	if err == nil && planned > 0 && len(end) != planned {
		err = usererr.New("KAFKA_PARTITIONS_CHANGED", "0A000", "Topic %s has %d partitions, and had %d when the query was planned.", t.topic, len(end), planned).
			WithFix("Start the query again: it goes on where it was, and reads the new partitions from their beginning.")
	}
	return connector.Availability{End: end}, err
}

// The cluster is asked for its ends so often while nothing comes: from shortest to longest, twice as long each time.
const (
	shortest = 2 * time.Millisecond
	longest  = 200 * time.Millisecond
)

// Wait returns when some partition has more than after.
func (t *Table) Wait(ctx context.Context, after connector.Offsets) error {
	for pause := shortest; ; pause = min(2*pause, longest) {
		end, err := t.ends(ctx)
		if err != nil {
			return err
		}
		if !slices.Equal(end, after) {
			return nil
		}
		timer := time.NewTimer(pause)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return ctx.Err()
		}
	}
}

// PlanScan reads everything that is committed now, between the times of the request.
func (t *Table) PlanScan(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	defer t.Close()
	from, err := t.starts(ctx)
	if err == nil && req.From != nil {
		from, err = t.after(ctx, *req.From)
	}
	if err != nil {
		return nil, err
	}
	to, err := t.ends(ctx)
	if err == nil && req.To != nil {
		to, err = t.after(ctx, *req.To)
	}
	if err != nil {
		return nil, err
	}
	s := t.scan(req)
	s.Splits = t.Bind(from, to)
	return s, nil
}

// PlanStream reads what each micro-batch binds.
func (t *Table) PlanStream(ctx context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	defer t.Close()
	starts, err := t.starts(ctx)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	t.parts = len(starts)
	t.mu.Unlock()
	s := t.scan(req)
	s.Splits = make([][]rdd.Split, len(starts))
	return s, nil
}

func (t *Table) scan(req connector.ScanRequest) *connector.Scan {
	return &connector.Scan{Op: &Scan{Cluster: t.cluster, Topic: t.topic, Format: t.format, Fields: t.fields, Schema: t.schema, Columns: req.Columns}, Residual: req.Filters}
}

// Bind makes one split for each partition that has something in the range.
func (t *Table) Bind(from, to connector.Offsets) [][]rdd.Split {
	out := make([][]rdd.Split, len(to))
	for p := range out {
		s := span{partition: int32(p), to: to[p]}
		if p < len(from) {
			s.from = from[p]
		}
		if s.from < s.to {
			out[p] = []rdd.Split{{Data: s.encode(), Rows: s.to - s.from}}
		}
	}
	return out
}
