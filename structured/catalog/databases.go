package catalog

import (
	"context"
	"encoding/json"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Default is the database that is always there. Its tables have plain names; those of another have its name before theirs.
const Default = "default"

// KindDatabase is the kind of a database's entry. Its key holds what no table's name can.
const KindDatabase = "database"

func databaseKey(name string) string { return "database:" + strings.ToLower(name) }

// Database is a database as declared.
type Database struct {
	Name       string
	Properties map[string]string
}

// CreateDatabase makes a database.
func (n *Node) CreateDatabase(ctx context.Context, d Database) error {
	if _, ok := n.Database(d.Name); ok {
		return usererr.New("SCHEMA_ALREADY_EXISTS", "42P06", "Cannot create schema `%s` because it already exists.", d.Name).With("schemaName", "`"+d.Name+"`").
			WithFix("Choose another name, or write CREATE SCHEMA IF NOT EXISTS.")
	}
	body, err := json.Marshal(record{Version: recordVersion, Name: d.Name, Options: d.Properties})
	if err != nil {
		return err
	}
	return n.entries.Put(ctx, Stored{Name: databaseKey(d.Name), Kind: KindDatabase, Body: body}, false)
}

// Database finds a database.
func (n *Node) Database(name string) (Database, bool) {
	if strings.EqualFold(name, Default) {
		return Database{Name: Default, Properties: map[string]string{"comment": "default database"}}, true
	}
	s, ok := n.entries.Get(databaseKey(name))
	if !ok || s.Kind != KindDatabase {
		return Database{}, false
	}
	r, err := decode(s)
	return Database{Name: r.Name, Properties: r.Options}, err == nil
}

// Databases lists the names of databases, sorted.
func (n *Node) Databases() []string {
	out := []string{Default}
	for _, s := range n.entries.List() {
		if s.Kind == KindDatabase {
			if r, err := decode(s); err == nil {
				out = append(out, r.Name)
			}
		}
	}
	sort.Strings(out)
	return out
}

// DatabaseOf splits the catalog's name of a table into database and name.
func (n *Node) DatabaseOf(name string) (database, table string) {
	if db, rest, ok := strings.Cut(name, "."); ok {
		if d, known := n.Database(db); known {
			return d.Name, rest
		}
	}
	return Default, name
}

// NoDatabase is the error for a database that there is not.
func (n *Node) NoDatabase(name string) *usererr.Error {
	e := usererr.New("SCHEMA_NOT_FOUND", "42704", "The schema `%s` cannot be found.", name).With("schemaName", "`"+name+"`")
	if near := usererr.Nearest(name, n.Databases(), 1); len(near) > 0 {
		return e.WithFix("Did you mean %s?", near[0])
	}
	return e.WithFix("SHOW DATABASES lists those that there are; CREATE DATABASE %s makes it.", name)
}

// DropDatabase removes a database. One that has tables or views is removed with them when cascade is set, else refused.
func (n *Node) DropDatabase(ctx context.Context, name string, cascade bool) error {
	d, ok := n.Database(name)
	if !ok {
		return n.NoDatabase(name)
	}
	if d.Name == Default {
		return usererr.New("UNSUPPORTED_FEATURE.DROP_DATABASE", "0A000", "The database default cannot be dropped.").WithFix("Drop its tables.")
	}
	list, err := n.List(ctx)
	if err != nil {
		return err
	}
	for _, e := range list {
		if db, _ := n.DatabaseOf(e.Name); db != d.Name {
			continue
		}
		if !cascade {
			return usererr.New("SCHEMA_NOT_EMPTY", "2BP01", "Cannot drop the schema `%s` because it contains objects, such as %s.", d.Name, e.Name).With("schemaName", "`"+d.Name+"`").
				WithFix("Drop them first, or write DROP SCHEMA %s CASCADE.", d.Name)
		}
		if err := n.Drop(ctx, e.Name, e.Kind == KindView); err != nil {
			return err
		}
	}
	_, err = n.entries.Delete(ctx, KindDatabase, databaseKey(name))
	return err
}
