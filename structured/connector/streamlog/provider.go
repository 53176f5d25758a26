package streamlog

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/logical"
)

// Provider is the catalog's provider "topic": every topic of the node is a table by itself.
type Provider struct{ Env *Env }

var _ catalog.Owner = Provider{}

// Open opens the topic that the definition names by its option topic, or by the table's name.
func (p Provider) Open(_ context.Context, def catalog.TableDef) (logical.Table, error) {
	name := def.Name
	for _, k := range []string{"topic", "subscribe", "path"} {
		if v := def.Options[k]; v != "" {
			name = v
		}
	}
	return Open(p.Env, name)
}

// Lookup opens a topic by name; internal topics are tables too, for those who ask for them.
func (p Provider) Lookup(_ context.Context, name string) (logical.Table, bool, error) {
	for _, t := range p.Env.Broker.Topics() {
		if strings.EqualFold(t.Name, name) {
			tab, err := Open(p.Env, t.Name)
			return tab, err == nil, err
		}
	}
	return nil, false, nil
}

// Create makes the topic of a table definition.
func (p Provider) Create(ctx context.Context, def catalog.TableDef) error {
	if def.Replace {
		if _, err := p.Env.Broker.Topic(def.Name); err == nil {
			return usererr.New("UNSUPPORTED_OVERWRITE.TOPIC", "0A000", "Topic %s cannot be replaced: it may have readers.", def.Name).
				WithFix("Drop it first, or take another name.")
		}
	}
	parts, configs, err := Configs(def.Schema, def.Options, def.EventTime, def.Delay)
	if err != nil {
		return err
	}
	_, err = p.Env.Broker.CreateTopic(ctx, def.Name, parts, configs)
	return err
}

// Drop deletes the topic.
func (p Provider) Drop(ctx context.Context, name string) error {
	return p.Env.Broker.DeleteTopic(ctx, name)
}

// Names are the topics, without internal ones.
func (p Provider) Names(context.Context) ([]string, error) {
	var out []string
	for _, t := range p.Env.Broker.Topics() {
		if !strings.HasPrefix(t.Name, "__") {
			out = append(out, t.Name)
		}
	}
	return out, nil
}
