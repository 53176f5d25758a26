package connect

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/structured/logical"
)

// shown runs a SHOW in the backend and returns a column of it.
func (e *execution) shown(ctx context.Context, show *logical.Show, column string) ([]string, error) {
	rows, err := e.execute(ctx, show)
	if err != nil {
		return nil, err
	}
	at := rows.Schema().Index(column)
	batches, err := collect(ctx, rows, 0)
	if err != nil {
		return nil, err
	}
	if at < 0 {
		return nil, invalidPlan("CATALOG", "The backend shows %s without the column %s.", show.What, column)
	}
	var out []string
	for _, b := range batches {
		for i := range b.N {
			out = append(out, string(b.Cols[at].Bytes(i)))
		}
	}
	return out, nil
}

func (e *execution) currentDatabase(ctx context.Context) (string, error) {
	list, err := e.shown(ctx, &logical.Show{What: "current database"}, "namespace")
	if err != nil || len(list) == 0 {
		return theDatabase, err
	}
	return list[0], nil
}

// database finds a database by name, in any case.
func (e *execution) database(ctx context.Context, name string) (string, bool, error) {
	list, err := e.shown(ctx, &logical.Show{What: "databases"}, "namespace")
	for _, d := range list {
		if strings.EqualFold(d, strings.TrimPrefix(name, theCatalog+".")) {
			return d, true, err
		}
	}
	return "", false, err
}

func (e *execution) use(ctx context.Context, name string) error {
	rows, err := e.execute(ctx, &logical.Use{Name: strings.Split(name, ".")})
	if err != nil {
		return err
	}
	if _, err := collect(ctx, rows, 0); err != nil {
		return err
	}
	return e.emitNothing(ctx)
}

func (e *execution) listDatabases(ctx context.Context, pattern *string) error {
	list, err := e.shown(ctx, &logical.Show{What: "databases"}, "namespace")
	if err != nil {
		return err
	}
	var rows [][]any
	for _, d := range list {
		var comment any
		if d == theDatabase {
			comment = "default database"
		}
		if matches(pattern, d) {
			rows = append(rows, []any{d, theCatalog, comment, ""})
		}
	}
	return e.emitTable(ctx, databaseSchema, rows...)
}
