package run

import (
	"slices"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Check reports options that cannot be.
func (o Options) Check() error {
	refuse := func(format string, args ...any) error {
		return usererr.New("NEXMARK_OPTIONS", "22023", format, args...)
	}
	if err := o.Config.Check(); err != nil {
		return refuse("%v.", err)
	}
	switch {
	case o.Events < 1:
		return refuse("There must be at least one event, not %d.", o.Events)
	case o.Partitions < 1:
		return refuse("There must be at least one partition, not %d.", o.Partitions)
	case !slices.Contains([]string{"topic", "generator"}, o.Source):
		return refuse("The source is topic or generator, not %q.", o.Source)
	case !slices.Contains([]string{"arrow", "json"}, o.Format):
		return refuse("The format is arrow or json, not %q.", o.Format)
	}
	return nil
}
