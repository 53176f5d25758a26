package structured

import (
	"github.com/streamflow/streamflow/structured/logical"
)

// AscNullsFirst and DescNullsLast are what Asc and Desc do by themselves.
func (c Column) AscNullsFirst() Column { return c.Asc() }
func (c Column) DescNullsLast() Column { return c.Desc() }

// GetField is Field, and GetItem is Item.
func (c Column) GetField(name string) Column { return c.Field(name) }
func (c Column) GetItem(key any) Column      { return c.Item(key) }

// BitNot turns every bit of an integer.
func (c Column) BitNot() Column { return c.op("~") }

// Name is As with one name.
func (c Column) Name(name string) Column { return c.As(name) }

// Transform is f of the column, for chains of one's own steps.
func (c Column) Transform(f func(Column) Column) Column { return f(c) }

// WithField sets a member of a struct, or adds it at the end: "a", or "a.b" for a member of a member.
func (c Column) WithField(name string, value any) Column {
	v := Lit(value)
	path, err := SplitName(name)
	if err = firstError(c.err, v.err, err); err != nil {
		return Column{err: err}
	}
	return Column{e: &logical.UpdateField{Child: c.e, Path: path, Value: v.e}}
}

// DropFields leaves members out of a struct.
func (c Column) DropFields(names ...string) Column {
	for _, name := range names {
		path, err := SplitName(name)
		if err = firstError(c.err, err); err != nil {
			return Column{err: err}
		}
		c = Column{e: &logical.UpdateField{Child: c.e, Path: path}}
	}
	return c
}
