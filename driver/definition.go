package driver

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

// definition is what a query is planned from, also after a restart: the plan as the client sent it, and what of the
// session it depends on.
type definition struct {
	Plan       []byte            `json:"plan"` // the query, by PlanCodec
	Views      map[string][]byte `json:"views,omitempty"`
	Conf       map[string]string `json:"conf,omitempty"`
	Sink       []string          `json:"sink,omitempty"`
	Columns    []string          `json:"columns,omitempty"`
	ByName     bool              `json:"byName,omitempty"`
	Format     string            `json:"format,omitempty"`
	Options    map[string]string `json:"options,omitempty"`
	OutputMode string            `json:"outputMode,omitempty"`
	Trigger    string            `json:"trigger,omitempty"`
	Start      string            `json:"start,omitempty"`
	Text       string            `json:"text,omitempty"` // the SQL that it came from, for people
	// Parts is the number of partitions after an exchange, for the query's life: its state is cut so.
	Parts int `json:"parts,omitempty"`
}

func (s *Session) define(c *logical.CreateStream, source logical.Plan) (definition, error) {
	d := definition{Sink: c.Sink, Columns: c.Columns, ByName: c.ByName, Format: c.Format, Options: c.Options, OutputMode: c.OutputMode,
		Trigger: c.Trigger, Start: c.Start, Text: textOf(source), Parts: s.parts(), Views: map[string][]byte{}}
	codec := s.engine.opts.Plans
	var err error
	if d.Plan, err = codec.EncodePlan(source); err != nil {
		return d, err
	}
	for _, name := range s.views.Names() {
		p, _ := s.views.Get(name)
		if d.Views[name], err = codec.EncodePlan(p); err != nil {
			return d, err
		}
	}
	d.Conf, err = s.conf.All(context.Background(), "")
	return d, err
}

// same reports whether an encoded definition is of the same query: what it computes and where its rows go. SQL is
// compared as text, for the numbers that plans carry differ each time.
func (d *definition) same(encoded []byte) bool {
	var o definition
	if json.Unmarshal(encoded, &o) != nil || len(o.Plan) == 0 || d.Text != o.Text || d.Text == "" && !bytes.Equal(d.Plan, o.Plan) {
		return false
	}
	return slices.Equal(d.Sink, o.Sink) && d.Format == o.Format && maps.Equal(d.Options, o.Options) && d.OutputMode == o.OutputMode && d.Trigger == o.Trigger
}

// session makes a session as it was when the query was defined.
func (d *definition) session(e *Engine) (*Session, error) {
	s := e.NewSession(os.Stdout)
	for k, v := range d.Conf {
		err := s.conf.Set(context.Background(), k, v)
		if u, ok := usererr.As(err); ok && u.Code == "CANNOT_MODIFY_STATIC_CONFIG" {
			continue // it is the node's
		}
		if err != nil {
			return nil, err
		}
	}
	if d.Parts > 0 {
		if err := s.conf.Set(context.Background(), partsConf, strconv.Itoa(d.Parts)); err != nil {
			return nil, err
		}
	}
	for name, b := range d.Views {
		p, err := e.opts.Plans.DecodePlan(b)
		if err != nil {
			return nil, err
		}
		if err := s.views.Put(name, p, true); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// query is the query inside what the client sent.
func (d *definition) query(e *Engine) (logical.Plan, error) {
	plan, err := e.opts.Plans.DecodePlan(d.Plan)
	if err != nil {
		return nil, err
	}
	if plan, err = parse(plan); err != nil {
		return nil, err
	}
	_, plan = unwrap(plan)
	switch p := plan.(type) {
	case *logical.InsertInto:
		return p.Query, nil
	case *logical.CreateStream:
		return p.Query, nil
	case *logical.CreateMaterialized:
		return p.Query, nil
	}
	return plan, nil
}
