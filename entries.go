package streamflow

import (
	"context"

	"github.com/streamflow/streamflow/logstore/broker"
	"github.com/streamflow/streamflow/structured/catalog"
)

// entries keeps the catalog's definitions in the node's metadata.
type entries struct{ c *broker.Catalog }

func (e entries) Get(name string) (catalog.Stored, bool) {
	d, ok := e.c.Get(name)
	return stored(d), ok
}

func (e entries) Put(ctx context.Context, s catalog.Stored, replace bool) error {
	return e.c.Put(ctx, broker.Definition{Name: s.Name, Kind: s.Kind, Body: s.Body}, replace)
}

func (e entries) Delete(ctx context.Context, kind, name string) (bool, error) {
	return e.c.Drop(ctx, kind, name)
}

func (e entries) List() []catalog.Stored {
	var out []catalog.Stored
	for _, d := range e.c.List() {
		out = append(out, stored(d))
	}
	return out
}

func stored(d broker.Definition) catalog.Stored {
	return catalog.Stored{Name: d.Name, Kind: d.Kind, Body: d.Body}
}
