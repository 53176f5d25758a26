package catalog

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/internal/usererr"
)

// NotFound is the error for a table or view that there is not, with the nearest names of those that there are.
func NotFound(ctx context.Context, c Catalog, views *Views, name string) *usererr.Error {
	e := usererr.New("TABLE_OR_VIEW_NOT_FOUND", "42P01", "The table or view `%s` cannot be found.", name).With("relationName", "`"+name+"`")
	if near := Suggest(ctx, c, views, name); len(near) > 0 {
		for i, n := range near {
			if strings.EqualFold(n, name) {
				near[i] = Default + "." + n // one of another database than the session's
			}
		}
		return e.WithFix("Did you mean %s?", strings.Join(near, " or "))
	}
	return e.WithFix("SHOW TABLES lists those that there are.")
}

// Suggest returns the names that resemble name.
func Suggest(ctx context.Context, c Catalog, views *Views, name string) []string {
	names := views.Names()
	if c != nil {
		if list, err := c.List(ctx); err == nil {
			for _, e := range list {
				names = append(names, e.Name)
			}
		}
	}
	return usererr.Nearest(name, names, 2)
}

func exists(name, kind string) *usererr.Error {
	return usererr.New("TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "There is already a %s `%s`.", kind, name).With("relationName", "`"+name+"`").
		WithFix("Choose another name, drop it first, or write CREATE OR REPLACE.")
}

func wrongKind(name, kind string) *usererr.Error {
	return usererr.New("EXPECT_"+strings.ToUpper(kind)+"_NOT_OTHER", "42809", "`%s` is a %s.", name, kind).WithFix("Write DROP %s %s.", strings.ToUpper(kind), name)
}
