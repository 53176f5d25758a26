package catalog

import "strings"

// TheCatalog is the name that Spark gives the only catalog.
const TheCatalog = "spark_catalog"

// Names are the catalog names that a dotted name may mean in a session whose database is database ("" is the default one), in the
// order in which they are tried: first the name itself when it has dots, for topics have them too.
func Names(parts []string, database string) []string {
	rest := parts
	if len(rest) > 1 && strings.EqualFold(rest[0], TheCatalog) {
		rest = rest[1:]
	}
	other := database != "" && !strings.EqualFold(database, Default)
	if len(rest) == 1 && len(parts) == 1 {
		if other {
			return []string{database + "." + rest[0]}
		}
		return []string{rest[0]}
	}
	names := []string{strings.Join(parts, ".")}
	if len(rest) > 1 && strings.EqualFold(rest[0], Default) {
		rest = rest[1:]
	}
	if len(rest) < len(parts) {
		names = append(names, strings.Join(rest, "."))
	}
	return names
}

// Name is the catalog name that a new table or view of a dotted name gets.
func Name(parts []string, database string) string {
	names := Names(parts, database)
	return names[len(names)-1]
}
