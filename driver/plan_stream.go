package driver

import (
	"context"
	"strings"
	"time"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/optimize"
	"github.com/streamflow/streamflow/structured/physical"
	"github.com/streamflow/streamflow/structured/stream"
)

// plannedQuery is a query that is ready for its loop.
type plannedQuery struct {
	phys    *physical.Physical
	writer  connector.Writer // nil: rows go to the client
	job     *Job
	trigger stream.Trigger
	start   connector.Start
	maxRows int64
	idle    time.Duration
	close   time.Duration // after which windows close though nothing comes; 0 never

	maxWatermark bool
	maxDrift     int64
	streamConf
}

// planStream plans a streaming query. text is the SQL that positions in it point into, if it came from SQL; toClient says
// that its rows go to the caller.
func (s *Session) planStream(ctx context.Context, c *logical.CreateStream, name, text string, toClient bool) (*plannedQuery, error) {
	parsed, err := parse(c.Query)
	if err != nil {
		return nil, err
	}
	if err := s.makeSink(ctx, c, parsed, text); err != nil {
		return nil, err
	}
	create := *c
	create.Name, create.Query = name, parsed
	analysed, err := optimize.Analyze(ctx, &create, s.env(text, c.OutputMode))
	if err != nil {
		return nil, err
	}
	o := physical.Options{Streaming: true, Query: name}
	if o.OutputMode, err = outputMode(c.OutputMode); err != nil {
		return nil, err
	}
	if !toClient {
		if o.Sink, err = s.streamSink(ctx, c, schemaOf(analysed.Children()[0].Output()), name); err != nil {
			return nil, err
		}
	}
	if o.Changelog, err = changelog(c, o.Sink); err != nil {
		return nil, err
	}
	p := &plannedQuery{writer: o.Sink}
	if p.trigger, err = trigger(c.Trigger); err != nil {
		return nil, err
	}
	if p.start, err = startMode(c.Start, s.location()); err != nil {
		return nil, err
	}
	optimised, err := s.unfolded(ctx, optimize.Optimize(analysed).Children()[0])
	if err != nil {
		return nil, err
	}
	if p.phys, err = s.physical(ctx, optimised, o); err != nil {
		return nil, err
	}
	p.maxRows = defaultMaxRows
	if p.idle, err = s.idleTimeout(ctx); err != nil {
		return nil, err
	}
	if p.close, err = s.idleClose(ctx); err != nil {
		return nil, err
	}
	if p.maxWatermark, err = s.maxWatermark(ctx); err != nil {
		return nil, err
	}
	if p.maxDrift, err = s.maxDrift(ctx); err != nil {
		return nil, err
	}
	if p.streamConf, err = s.streamConf(ctx); err != nil {
		return nil, err
	}
	p.job, err = s.engine.opts.Cluster.PrepareStream(p.phys)
	return p, err
}

// defaultMaxRows bounds what a batch takes from one partition, so that catching up from history does not need memory for
// all of it at once.
const defaultMaxRows = 1 << 20

// changelog reports whether the query writes every change, with its kind: the option changelog of the query, or of the table.
func changelog(c *logical.CreateStream, sink connector.Writer) (bool, error) {
	all := sink != nil && connector.IsChangelog(sink)
	for name, v := range c.Options {
		if !strings.EqualFold(name, "changelog") {
			continue
		}
		switch strings.ToLower(v) {
		case "true", "false":
			all = strings.EqualFold(v, "true")
		default:
			return false, usererr.New("INVALID_OPTION", "42616", "Option changelog is true or false, not %q.", v)
		}
	}
	return all, nil
}

func outputMode(mode string) (connector.OutputMode, error) {
	switch strings.ToLower(mode) {
	case "", "append":
		return connector.Append, nil
	case "update":
		return connector.Update, nil
	case "complete":
		return connector.Complete, nil
	}
	return 0, usererr.New("STREAMING_OUTPUT_MODE.INVALID", "42KDE", "There is no output mode %q.", mode).WithFix("Use append, update or complete.")
}

func trigger(text string) (stream.Trigger, error) {
	switch text {
	case "":
		return stream.Trigger{}, nil
	case "once":
		return stream.Trigger{Once: true}, nil
	case "available_now":
		return stream.Trigger{AvailableNow: true}, nil
	}
	micros, err := structured.ParseDelay(text)
	return stream.Trigger{Interval: time.Duration(micros) * time.Microsecond}, err
}

func startMode(text string, loc *time.Location) (connector.Start, error) {
	if strings.HasPrefix(text, savepointStart) {
		return connector.Start{}, nil // for what the savepoint does not have
	}
	switch text {
	case "", "beginning", "now":
		return connector.Start{Mode: text}, nil
	}
	micros, ok := column.ParseTimestamp(text, loc)
	if !ok {
		return connector.Start{}, usererr.New("INVALID_START", "22007", "A query starts at beginning, now or a timestamp, not %q.", text)
	}
	return connector.Start{Mode: "time", Time: micros}, nil
}

// staticSplits are the splits of sources that do not grow; they are the same in every batch.
func staticSplits(phys *physical.Physical) map[string][][]rdd.Split {
	out := map[string][][]rdd.Split{}
	for _, s := range phys.Sources {
		if s.Stream == nil {
			out[s.Op] = s.Scan.Splits
		}
	}
	return out
}

// policyConf is the setting (Spark's) that says which of the watermarks of several inputs is the query's: the least (min) or
// the greatest (max).
const policyConf = "spark.sql.streaming.multipleWatermarkPolicy"

func (s *Session) maxWatermark(ctx context.Context) (bool, error) {
	v, ok, err := s.conf.Get(ctx, policyConf)
	if err != nil || !ok {
		return false, err
	}
	switch strings.ToLower(v) {
	case "min":
		return false, nil
	case "max":
		return true, nil
	}
	return false, usererr.New("INVALID_CONF_VALUE.OUT_OF_RANGE_OF_OPTIONS", "22022", "%s is min or max, not %q.", policyConf, v).
		WithFix("SET %s = min: with min no row is lost; with max rows of slower inputs that are behind the fastest are late.", policyConf)
}

// driftConf is the setting of how far a source partition may be ahead of others in event time while these have something to
// read: a length of time, 0 for any.
const driftConf = "streamflow.watermark.max.drift"

func (s *Session) maxDrift(ctx context.Context) (int64, error) {
	v, ok, err := s.conf.Get(ctx, driftConf)
	if err != nil || !ok || v == "0" {
		return 0, err
	}
	return structured.ParseDelay(v)
}

// idleConf is the setting of how long a partition may bring nothing before it no longer holds event time back.
const idleConf = "streamflow.watermark.idle.timeout"

func (s *Session) idleTimeout(ctx context.Context) (time.Duration, error) {
	v, ok, err := s.conf.Get(ctx, idleConf)
	if err != nil || !ok {
		return stream.DefaultIdleTimeout, err
	}
	if v == "0" {
		return 0, nil
	}
	micros, err := structured.ParseDelay(v)
	return time.Duration(micros) * time.Microsecond, err
}

// closeConf is the setting of how long all sources may bring nothing before windows close as if later rows had come; 0, the
// default, is for ever.
const closeConf = "streamflow.watermark.idle.close"

func (s *Session) idleClose(ctx context.Context) (time.Duration, error) {
	v, ok, err := s.conf.Get(ctx, closeConf)
	if err != nil || !ok || v == "0" {
		return 0, err
	}
	micros, err := structured.ParseDelay(v)
	return time.Duration(micros) * time.Microsecond, err
}
