package driver

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
	"github.com/streamflow/streamflow/structured/stream"
)

// A materialised view v is three things of one name: a topic v.rows with the result's changes by key, a streaming query v
// that writes them, and a table v over the topic that shows the last row of each key.
const (
	viewSource = "materialized" // the table's provider
	viewTopic  = ".rows"
	viewKeys   = "keys" // options of the table: the key's columns, and the topic
	viewRowsOf = "topic"
)

// createMaterialized is CREATE MATERIALIZED VIEW.
func (s *Session) createMaterialized(ctx context.Context, p *logical.CreateMaterialized, original logical.Plan, src string) (err error) {
	e := s.engine
	if _, taken, err := e.opts.Catalog.Table(ctx, p.Name); err != nil || taken {
		return errors.Join(err, viewTaken(p.Name, taken))
	}
	if old, there := e.opts.Queries.Query(p.Name); there {
		return taken(p.Name, old.Status)
	}
	c := &logical.CreateStream{Name: p.Name, Query: p.Query, OutputMode: "update", Pos: p.Pos}
	planned, err := s.planStream(ctx, c, p.Name, src, true)
	if err != nil {
		return err
	}
	planned.job.Close()
	schema, keys := schemaOf(planned.phys.Output), []string{}
	for _, a := range planned.phys.Upsert {
		keys = append(keys, a.Name)
	}
	topic := catalog.TableDef{Name: p.Name + viewTopic, Provider: "topic", Schema: schema, Options: map[string]string{}}
	if len(keys) > 0 {
		topic.Options["cleanup.policy"] = "compact"
		topic.Options["segment.bytes"] = "16777216" // only whole files are compacted
	} else {
		c.OutputMode = "append"
	}
	maps.Copy(topic.Options, p.Options)
	if err := e.opts.Catalog.CreateTable(ctx, topic); err != nil {
		return err
	}
	c.Sink = []string{topic.Name}
	if _, err := s.startQuery(ctx, c, original); err != nil {
		return errors.Join(err, e.opts.Catalog.Drop(ctx, topic.Name, false))
	}
	return e.opts.Catalog.CreateTable(ctx, catalog.TableDef{Name: p.Name, Provider: viewSource, Schema: schema,
		Options: map[string]string{viewRowsOf: topic.Name, viewKeys: strings.Join(keys, ",")}})
}

func viewTaken(name string, taken bool) error {
	if !taken {
		return nil
	}
	return usererr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "There is a table or view %s already.", name).WithFix("Take another name, or drop it.")
}

// dropMaterialized stops and forgets the view's query, and drops table and topic.
func (e *Engine) dropMaterialized(ctx context.Context, p *logical.DropMaterialized) error {
	t, there, err := e.opts.Catalog.Table(ctx, p.Name)
	if err != nil {
		return err
	}
	v, ok := t.(*viewTable)
	switch {
	case !there && p.IfExists:
		return nil
	case !there || !ok:
		return usererr.New("TABLE_OR_VIEW_NOT_FOUND", "42P01", "There is no materialized view %s.", p.Name)
	}
	if q, err := e.find(v.name); err == nil {
		if err := q.Stop(ctx); err != nil {
			return err
		}
		if err := e.drop(ctx, q); err != nil {
			return err
		}
	} else if _, kept := e.opts.Queries.Query(v.name); kept {
		if err := e.forget(ctx, v.name); err != nil {
			return err
		}
	}
	if err := e.opts.Catalog.Drop(ctx, v.name, false); err != nil {
		return err
	}
	e.mu.Lock()
	delete(e.views, v.topic)
	e.mu.Unlock()
	return e.opts.Catalog.Drop(ctx, v.topic, false)
}

// viewStatus is whether the view's query runs, for those who read it over HTTP.
func (e *Engine) viewStatus(name string) (status string, batch int64) {
	r, ok := e.opts.Queries.Query(name)
	if !ok {
		return stream.Stopped, -1
	}
	return statusOf(&r), r.NextBatch() - 1
}
