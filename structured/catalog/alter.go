package catalog

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// Keeper is a provider that has something on disk for its tables.
type Keeper interface {
	// Prepare is called when a table has been declared; Remove when one whose place the node chose is dropped.
	Prepare(def TableDef) error
	Remove(def TableDef) error
}

// OptionManaged marks a table whose place the node chose: its files go with it.
const OptionManaged = "streamflow.managed"

// Alterer is an owner whose tables can be changed.
type Alterer interface {
	Alter(ctx context.Context, name string, c Change) error
}

// Change is what can change of a table that exists by itself: columns that follow the others, properties.
type Change struct {
	Add   []column.Field
	Set   map[string]string
	Unset []string
}

// Definition is the declaration of a table that the catalog keeps; ok is false for one that exists by itself.
func (n *Node) Definition(name string) (def TableDef, ok bool, err error) {
	s, ok := n.entries.Get(strings.ToLower(name))
	if !ok || s.Kind != KindTable {
		return TableDef{}, false, nil
	}
	r, err := decode(s)
	if err != nil {
		return TableDef{}, false, err
	}
	def, err = r.def()
	return def, err == nil, err
}

// Redefine changes a table's declaration; a table that cannot be opened by the new one stays as it is.
func (n *Node) Redefine(ctx context.Context, def TableDef) error {
	if _, err := n.providers.Open(ctx, def); err != nil {
		return err
	}
	body, err := encodeTable(def)
	if err != nil {
		return err
	}
	return n.entries.Put(ctx, Stored{Name: strings.ToLower(def.Name), Kind: KindTable, Body: body}, true)
}

// Alter changes a table that exists by itself.
func (n *Node) Alter(ctx context.Context, name string, c Change) error {
	for _, o := range n.providers.owners() {
		_, ok, err := o.Lookup(ctx, name)
		if err != nil {
			return err
		}
		if a, can := o.(Alterer); ok && can {
			return a.Alter(ctx, name, c)
		}
	}
	return NotFound(ctx, n, nil, name)
}

// Rename gives a table or view that the catalog keeps another name.
func (n *Node) Rename(ctx context.Context, from, to string, view bool) error {
	kind := KindTable
	if view {
		kind = KindView
	}
	s, ok := n.entries.Get(strings.ToLower(from))
	if ok && s.Kind != kind {
		return wrongKind(from, s.Kind)
	}
	if !ok {
		if _, own, err := n.owned(ctx, from); own || err != nil {
			return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The table `%s` cannot be renamed: a topic keeps its name.", from).WithFix("Create a topic of the new name and INSERT INTO it.")
		}
		return NotFound(ctx, n, nil, from)
	}
	if err := n.checkFree(ctx, to, kind, false); err != nil {
		return err
	}
	r, err := decode(s)
	if err != nil {
		return err
	}
	r.Name = to
	body, err := r.encode()
	if err != nil {
		return err
	}
	if err := n.entries.Put(ctx, Stored{Name: strings.ToLower(to), Kind: kind, Body: body}, false); err != nil {
		return err
	}
	_, err = n.entries.Delete(ctx, kind, strings.ToLower(from))
	return err
}
