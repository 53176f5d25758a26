package streamlog

import (
	"context"
	"strconv"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/structured/connector"
)

// Topic configuration that makes a topic a table.
const (
	ConfigFormat    = "streamflow.format" // raw, json or arrow
	ConfigSchema    = "streamflow.schema" // columns as DDL
	ConfigEventTime = "streamflow.event.time"
	ConfigDelay     = "streamflow.watermark.delay.ms"
	ConfigKey       = "streamflow.key"       // column whose text is the record key
	ConfigChangelog = "streamflow.changelog" // true: queries write every change, with its kind in a last column _op
	ConfigSealed    = "streamflow.sealed"
)

// Formats of a topic's records.
const (
	Raw   = "raw"
	JSON  = "json"
	Arrow = "arrow"
)

// Env is what the connector needs of the node.
type Env struct {
	Broker *broker.Broker
	// Producer returns the producer id of a streaming query's transactions.
	Producer func(ctx context.Context, query string) (int64, error)

	stagers sync.Map // query -> *stager of its QueryLog, when its driver is in this process
}

// ServiceName is the name under which tasks find the *Env in TaskContext.Services.
const ServiceName = "log"

// Table is a topic.
type Table struct {
	env    *Env
	name   string
	parts  int
	format string
	fields *column.Schema // the declared columns
	schema *column.Schema // declared, then hidden
	opts   map[string]string
}

var (
	_ connector.StreamReader = (*Table)(nil)
	_ connector.Writer       = (*Table)(nil)
)

// rawFields are the columns of a topic without a schema, as Spark's Kafka source has them.
var rawFields = []column.Field{
	{Name: "key", Type: column.Of(column.Binary), Nullable: true},
	{Name: "value", Type: column.Of(column.Binary), Nullable: true},
	{Name: "topic", Type: column.Of(column.String)},
	{Name: "partition", Type: column.Of(column.Int32)},
	{Name: "offset", Type: column.Of(column.Int64)},
	{Name: "timestamp", Type: column.Of(column.Timestamp)},
	{Name: "timestampType", Type: column.Of(column.Int32)},
}

var hiddenFields = []column.Field{
	{Name: connector.ColTopic, Type: column.Of(column.String)},
	{Name: connector.ColPartition, Type: column.Of(column.Int32)},
	{Name: connector.ColOffset, Type: column.Of(column.Int64)},
	{Name: connector.ColTimestamp, Type: column.Of(column.Timestamp)},
	{Name: connector.ColKey, Type: column.Of(column.Binary), Nullable: true},
}

// Open opens a topic as a table.
func Open(env *Env, name string) (*Table, error) {
	t, err := env.Broker.Topic(name)
	if err != nil {
		return nil, err
	}
	tab := &Table{env: env, name: name, parts: int(t.Partitions), format: t.Configs[ConfigFormat], opts: options(t)}
	if ddl := t.Config(ConfigSchema); ddl != "" {
		tab.fields, err = column.ParseDDL(ddl)
		if err != nil {
			return nil, usererr.New("INVALID_TOPIC_SCHEMA", "42K0F", "The schema of topic %s cannot be read: %v.", name, err).In("topic config " + ConfigSchema).
				WithFix("Set it to columns as in a table definition: ts TIMESTAMP, amount DOUBLE.")
		}
	}
	switch {
	case tab.fields == nil || tab.format == Raw:
		tab.format, tab.fields = Raw, column.NewSchema(rawFields...)
	case tab.format == "":
		tab.format = JSON
	}
	all := append(append([]column.Field{}, tab.fields.Fields...), hiddenFields...)
	tab.schema = column.NewSchema(all...)
	return tab, nil
}

// options are the topic's configs that the planner reads.
func options(t *broker.Topic) map[string]string {
	out := map[string]string{"topic": t.Name}
	for _, k := range []string{ConfigFormat, ConfigSchema, ConfigEventTime, ConfigDelay, ConfigKey, ConfigChangelog} {
		if v := t.Config(k); v != "" {
			out[k] = v
		}
	}
	return out
}

func (t *Table) Name() string               { return t.name }
func (t *Table) Schema() *column.Schema     { return t.schema }
func (t *Table) Hidden() int                { return len(hiddenFields) }
func (t *Table) Provider() string           { return "topic" }
func (t *Table) Options() map[string]string { return t.opts }

// Configs turns a table definition's columns and options into topic configs and a partition count (0 for the default).
// Options may leave out the prefix "streamflow.".
func Configs(schema *column.Schema, opts map[string]string, eventTime string, delayMicros int64) (parts int32, configs map[string]string, err error) {
	configs = map[string]string{}
	for k, v := range opts {
		switch strings.ToLower(k) {
		case "partitions", "numpartitions":
			n, perr := strconv.ParseInt(v, 10, 32)
			if perr != nil || n < 1 {
				return 0, nil, usererr.New("INVALID_TABLE_OPTION", "42616", "partitions must be a positive number, not %q.", v).In("option " + k)
			}
			parts = int32(n)
		case "format", "key", "sealed", "changelog":
			configs["streamflow."+strings.ToLower(k)] = v
		case "topic":
		default:
			configs[k] = v
		}
	}
	if schema != nil && schema.Len() > 0 {
		configs[ConfigSchema] = schema.String()
		if configs[ConfigFormat] == "" {
			configs[ConfigFormat] = JSON
		}
	}
	if eventTime != "" {
		configs[ConfigEventTime] = eventTime
		configs[ConfigDelay] = strconv.FormatInt(delayMicros/1000, 10)
	}
	return parts, configs, nil
}
