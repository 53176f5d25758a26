package driver

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/file"
	"github.com/streamflow/streamflow/structured/logical"
)

// alter changes a table's or view's definition.
func (s *Session) alter(ctx context.Context, p *logical.AlterTable, src string) error {
	c := s.engine.opts.Catalog
	name := s.existingName(ctx, p.Name)
	switch a := p.Action.(type) {
	case logical.AlterName:
		to, err := s.newName(a.Name)
		if err != nil {
			return err
		}
		return c.Rename(ctx, name, to, p.View)
	case logical.AlterQuery:
		if _, ok := c.View(name); !ok {
			return catalog.NotFound(ctx, c, s.views, name)
		}
		return s.createView(ctx, &logical.CreateView{Name: p.Name, OrReplace: true, Query: a.Query, SQL: a.SQL, Pos: p.Pos}, src)
	}
	if p.View {
		return usererr.New("UNSUPPORTED_FEATURE.ALTER_VIEW", "0A000", "A view has no properties of its own.").WithFix("ALTER VIEW name RENAME TO other, or AS query.")
	}
	def, ok, err := c.Definition(name)
	if err != nil {
		return err
	}
	if !ok {
		return s.alterOwned(ctx, name, p.Action)
	}
	if err := redefine(&def, p.Action); err != nil {
		return err
	}
	return c.Redefine(ctx, def)
}

// alterOwned changes a topic: columns may follow its own, and properties are configs.
func (s *Session) alterOwned(ctx context.Context, name string, action logical.AlterAction) error {
	var change catalog.Change
	switch a := action.(type) {
	case logical.AlterAdd:
		for _, c := range a.Columns {
			if c.First || c.After != "" {
				return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Columns of a topic are added at the end: records that there are keep their form.").WithFix("Leave out FIRST and AFTER.")
			}
			change.Add = append(change.Add, c.Field)
		}
	case logical.AlterSet:
		change.Set = a.Properties
	case logical.AlterUnset:
		change.Unset = a.Keys
	default:
		return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Table `%s` does not support this: %s. It is a topic, whose records keep their form.", name, action).
			WithFix("Columns can be added and properties set; for more, INSERT INTO another topic.")
	}
	return s.engine.opts.Catalog.Alter(ctx, name, change)
}

// redefine applies an action to a table's declaration.
func redefine(def *catalog.TableDef, action logical.AlterAction) error {
	switch a := action.(type) {
	case logical.AlterSet:
		for k, v := range a.Properties {
			if err := ownProperty(k); err != nil {
				return err
			}
			def.Options[k] = v
		}
		return nil
	case logical.AlterUnset:
		for _, k := range a.Keys {
			if _, ok := def.Options[k]; !ok && !a.IfExists {
				return usererr.New("UNSET_NONEXISTENT_PROPERTIES", "42K0J", "Attempted to unset non-existent properties [`%s`] in table `%s`.", k, def.Name).WithFix("Write UNSET TBLPROPERTIES IF EXISTS.")
			}
			if err := ownProperty(k); err != nil {
				return err
			}
			delete(def.Options, k)
		}
		return nil
	case logical.AlterLocation:
		def.Options["path"] = a.Path
		delete(def.Options, catalog.OptionManaged)
		return nil
	}
	return redefineColumns(def, action)
}

// ownProperty refuses properties that have a statement of their own.
func ownProperty(k string) error {
	if k == "path" || k == catalog.OptionManaged || k == file.ColumnsOption {
		return usererr.New("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", "0A000", "%s is a reserved table property.", k).WithFix("ALTER TABLE … SET LOCATION moves a table.")
	}
	return nil
}

// columns are a declaration's columns and the names that they have in files, while they change.
type columns struct {
	fields []column.Field
	stored []string
}

func (c *columns) index(name string) int {
	return slices.IndexFunc(c.fields, func(f column.Field) bool { return strings.EqualFold(f.Name, name) })
}

func (c *columns) find(table, name string) (int, error) {
	if i := c.index(name); i >= 0 {
		return i, nil
	}
	var names []string
	for _, f := range c.fields {
		names = append(names, f.Name)
	}
	e := usererr.New("FIELD_NOT_FOUND", "42704", "No such struct field `%s` in %s.", name, strings.Join(names, ", ")).With("fieldName", "`"+name+"`")
	if near := usererr.Nearest(name, names, 1); len(near) > 0 {
		return 0, e.WithFix("Did you mean %s?", near[0])
	}
	return 0, e
}

func redefineColumns(def *catalog.TableDef, action logical.AlterAction) error {
	if def.Schema == nil {
		return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The columns of table `%s` are not declared: they are found in its files.", def.Name).WithFix("Create it with a column list.")
	}
	if def.Provider == "csv" {
		return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The columns of a CSV table are those of its files.").WithFix("CREATE TABLE … USING parquet AS SELECT … FROM %s.", def.Name)
	}
	stored, err := file.ColumnNames(*def)
	if err != nil {
		return err
	}
	c := &columns{append([]column.Field{}, def.Schema.Fields...), stored}
	if err := partitionStays(def, action); err != nil {
		return err
	}
	switch a := action.(type) {
	case logical.AlterAdd:
		err = c.add(def.Name, a, dropped(def))
	case logical.AlterRename:
		err = c.rename(def, a)
	case logical.AlterDrop:
		err = c.drop(def, a)
	case logical.AlterNullable:
		var i int
		if i, err = c.find(def.Name, a.Name); err == nil {
			c.fields[i].Nullable = true
		}
	default:
		err = fmt.Errorf("driver: no way to carry out %T", action)
	}
	if err != nil {
		return err
	}
	return c.into(def)
}

// partitionStays refuses to rename or drop a column whose values are directories.
func partitionStays(def *catalog.TableDef, action logical.AlterAction) error {
	var names []string
	switch a := action.(type) {
	case logical.AlterRename:
		names = []string{a.From}
	case logical.AlterDrop:
		names = a.Names
	}
	for _, p := range strings.Split(def.Options[connector.PartitionByOption], file.PathSeparator) {
		for _, n := range names {
			if p != "" && strings.EqualFold(p, n) {
				return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Table `%s` does not support this: %s. Its directories are named by `%s`.", def.Name, action, n).WithFix("CREATE TABLE … PARTITIONED BY (…) AS SELECT … FROM %s.", def.Name)
			}
		}
	}
	return nil
}

// add puts new columns in their places. Files that there are have no such column: it is null in their rows. A name that another
// column has in files, or had before it was dropped, gets a number behind it there.
func (c *columns) add(table string, a logical.AlterAdd, gone []string) error {
	for _, n := range a.Columns {
		if c.index(n.Field.Name) >= 0 {
			return usererr.New("FIELD_ALREADY_EXISTS", "42710", "Cannot add column, because `%s` already exists in `%s`.", n.Field.Name, table).WithFix("Give it another name.")
		}
		at := len(c.fields)
		switch {
		case n.First:
			at = 0
		case n.After != "":
			i, err := c.find(table, n.After)
			if err != nil {
				return err
			}
			at = i + 1
		}
		c.fields = slices.Insert(c.fields, at, n.Field)
		stored := n.Field.Name
		for k := 2; slices.Contains(c.stored, stored) || slices.Contains(gone, stored); k++ {
			stored = fmt.Sprintf("%s_%d", n.Field.Name, k)
		}
		c.stored = slices.Insert(c.stored, at, stored)
	}
	return nil
}

func (c *columns) rename(def *catalog.TableDef, a logical.AlterRename) error {
	i, err := c.find(def.Name, a.From)
	if err != nil {
		return err
	}
	if j := c.index(a.To); j >= 0 && j != i {
		return usererr.New("FIELD_ALREADY_EXISTS", "42710", "Cannot rename column, because `%s` already exists in `%s`.", a.To, def.Name).WithFix("Choose another name.")
	}
	if strings.EqualFold(def.EventTime, a.From) {
		def.EventTime = a.To
	}
	c.fields[i].Name = a.To
	return nil
}

func (c *columns) drop(def *catalog.TableDef, a logical.AlterDrop) error {
	for _, n := range a.Names {
		if a.IfExists && c.index(n) < 0 {
			continue
		}
		i, err := c.find(def.Name, n)
		if err != nil {
			return err
		}
		if len(c.fields) == 1 {
			return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "A table keeps at least one column.").WithFix("Drop the table.")
		}
		if strings.EqualFold(def.EventTime, n) {
			return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "`%s` is the table's event time.", n)
		}
		def.Options[droppedOption] = strings.TrimPrefix(def.Options[droppedOption]+"\x00"+c.stored[i], "\x00")
		c.fields, c.stored = slices.Delete(c.fields, i, i+1), slices.Delete(c.stored, i, i+1)
	}
	return nil
}

// droppedOption holds the names in files of columns that were dropped: they are not used again.
const droppedOption = "streamflow.file.dropped"

// dropped are the names in files that columns had which were dropped.
func dropped(def *catalog.TableDef) []string {
	if def.Options[droppedOption] == "" {
		return nil
	}
	return strings.Split(def.Options[droppedOption], "\x00")
}

// into writes the columns back.
func (c *columns) into(def *catalog.TableDef) error {
	same := true
	for i, n := range c.stored {
		same = same && n == c.fields[i].Name
	}
	def.Schema = &column.Schema{Fields: c.fields}
	delete(def.Options, file.ColumnsOption)
	if same {
		return nil
	}
	names, err := json.Marshal(c.stored)
	def.Options[file.ColumnsOption] = string(names)
	return err
}
