package driver

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/console"
	"github.com/streamflow/streamflow/structured/connector/foreach"
	"github.com/streamflow/streamflow/structured/connector/kafka"
	"github.com/streamflow/streamflow/structured/connector/memory"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/physical"
)

// insert writes a query's rows into a table, whole or not at all.
func (s *Session) insert(ctx context.Context, p *logical.InsertInto, run *logical.Run, src string) (structured.Rows, error) {
	var plan logical.Plan = p
	if run != nil {
		bounded := *p
		bounded.Query = &logical.Run{From: run.From, To: run.To, Child: p.Query}
		plan = &bounded
	}
	analysed, err := s.analyse(ctx, plan, src, run)
	if err != nil {
		return nil, err
	}
	ins := analysed.(*logical.InsertInto)
	target, err := s.table(ctx, p.Table, p.Pos)
	if err != nil {
		return nil, err
	}
	return s.write(ctx, ins.Query, target, p.Overwrite, run)
}

// writeTo is DataFrameWriter.save: a path in a format.
func (s *Session) writeTo(ctx context.Context, p *logical.WriteTo, run *logical.Run, src string) (structured.Rows, error) {
	analysed, err := s.analyse(ctx, p, src, run)
	if err != nil {
		return nil, err
	}
	query := analysed.Children()[0]
	options := p.Options
	if len(p.PartitionBy) > 0 {
		options = maps.Clone(options)
		if options == nil {
			options = map[string]string{}
		}
		options[connector.PartitionByOption] = strings.Join(p.PartitionBy, "\x00")
	}
	target, err := s.pathTable(ctx, p.Format, p.Path, options, schemaOf(query.Output()))
	if err != nil {
		return nil, err
	}
	if _, files := target.(interface{ Files() []string }); len(p.PartitionBy) > 0 && !files {
		return nil, usererr.New("UNSUPPORTED_FEATURE.PARTITION_BY", "0A000", "Format %s has no directories to write partitions into.", target.Provider()).
			WithFix("Write parquet, csv or json, or leave out partitionBy.")
	}
	if skip, err := checkExisting(target, p.Mode, p.Path); skip || err != nil {
		return nothing(), err
	}
	return s.write(ctx, query, target, strings.EqualFold(p.Mode, "overwrite"), run)
}

// checkExisting applies the save modes that depend on whether there is something already.
func checkExisting(t connector.Writer, mode, path string) (skip bool, err error) {
	f, ok := t.(interface{ Files() []string })
	if !ok || len(f.Files()) == 0 {
		return false, nil
	}
	switch strings.ToLower(mode) {
	case "ignore":
		return true, nil
	case "", "error", "errorifexists", "default":
		return false, usererr.New("PATH_ALREADY_EXISTS", "42K04", "Path %s already exists.", path).WithFix("Set the mode to overwrite or append.")
	}
	return false, nil
}

// pathTable opens a format and path to be written.
func (s *Session) pathTable(ctx context.Context, format, path string, options map[string]string, schema *column.Schema) (connector.Writer, error) {
	if format == "" {
		format = "parquet"
	}
	def := catalog.TableDef{Name: path, Provider: format, Schema: schema, Options: map[string]string{}}
	for k, v := range options {
		def.Options[k] = v
	}
	if path != "" {
		def.Options["path"] = path
	}
	t, err := s.engine.opts.Catalog.Providers().Open(ctx, def)
	if err != nil {
		return nil, err
	}
	w, ok := t.(connector.Writer)
	if !ok {
		return nil, usererr.New("UNSUPPORTED_INSERT.NOT_WRITABLE", "42809", "Data source %s cannot be written.", format)
	}
	return w, nil
}

// write runs a resolved query into a table.
func (s *Session) write(ctx context.Context, query logical.Plan, target connector.Writer, overwrite bool, run *logical.Run) (structured.Rows, error) {
	query, err := s.unfolded(ctx, optimize.Optimize(query))
	if err != nil {
		return nil, err
	}
	phys, err := s.physical(ctx, query, physical.Options{Sink: target, Overwrite: overwrite})
	if err != nil {
		return nil, err
	}
	job, err := s.engine.opts.Cluster.PrepareBatch(phys)
	if err != nil {
		return nil, err
	}
	defer job.Close()
	counters, err := s.engine.runBatch(ctx, job, phys, batchRun{name: nameOf(run), target: target, overwrite: overwrite}, nil)
	if err != nil {
		return nil, err
	}
	res := nothing()
	res.counters = counters
	return res, s.contentChanged(target.Name())
}

// makeSink makes the table that a query writes to, when it is to be made and there is none: Spark's toTable.
func (s *Session) makeSink(ctx context.Context, c *logical.CreateStream, query logical.Plan, text string) error {
	if !c.MakeSink {
		return nil
	}
	name, err := s.newName(c.Sink)
	if err != nil {
		return err
	}
	if _, ok, err := s.engine.opts.Catalog.Table(ctx, name); err != nil || ok {
		return err
	}
	analysed, err := optimize.Analyze(ctx, query, s.env(text, c.OutputMode))
	if err != nil {
		return err
	}
	columns := schemaOf(logical.Visible(analysed.Output())).Fields
	made := &logical.CreateTable{Name: c.Sink, Columns: columns, Provider: strings.ToLower(c.Format), IfNotExists: true, Pos: c.Pos}
	if fileProviders[made.Provider] {
		made.Options = c.Options // of a topic they are the query's
	}
	_, err = s.createTable(ctx, made, nil, text)
	return err
}

// streamSink opens what a streaming query writes to: a table by name, or a format with options.
func (s *Session) streamSink(ctx context.Context, c *logical.CreateStream, schema *column.Schema, name string) (connector.Writer, error) {
	if len(c.Sink) > 0 {
		return s.table(ctx, c.Sink, c.Pos)
	}
	if s.sink != nil {
		return s.sink, nil
	}
	switch strings.ToLower(c.Format) {
	case "":
		return nil, usererr.New("STREAMING_SINK_MISSING", "42K0J", "The streaming query %s says no place for its rows.", name).WithFix("Name a table or a format: console, memory, topic, parquet …")
	case "console":
		return console.New(s.out, s.location(), c.Options)
	case "foreachbatch":
		return foreach.New(c.Options)
	case "memory":
		if all, err := changelog(c, nil); err != nil {
			return nil, err
		} else if all {
			schema = &column.Schema{Fields: append(slices.Clone(schema.Fields), column.Field{Name: connector.OpColumn, Type: column.Of(column.String)})}
		}
		t := memory.New(name, schema, 1)
		s.engine.opts.Catalog.AddTable(t)
		return t, nil
	case "kafka", "topic":
		if kafka.Remote(c.Options) {
			return s.pathTable(ctx, "kafka", c.Options["path"], c.Options, nil)
		}
		topic := c.Options["topic"]
		if topic == "" {
			topic = c.Options["path"]
		}
		return s.table(ctx, []string{topic}, c.Pos)
	}
	return s.pathTable(ctx, c.Format, c.Options["path"], c.Options, schema)
}
