package streamlog

import (
	"context"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/catalog"
)

var _ catalog.Alterer = Provider{}

// Alter adds columns behind a topic's own, which are null in the records that there are, and sets configs.
func (p Provider) Alter(ctx context.Context, name string, c catalog.Change) error {
	topic, err := p.Env.Broker.Topic(name)
	if err != nil {
		return err
	}
	set := map[string]string{}
	for k, v := range c.Set {
		if strings.HasPrefix(k, "streamflow.schema") || k == "streamflow.format" {
			return usererr.New("UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY", "0A000", "%s is a reserved table property.", k).WithFix("ALTER TABLE … ADD COLUMN adds columns.")
		}
		set[k] = v
	}
	if len(c.Add) > 0 {
		ddl := topic.Configs["streamflow.schema"]
		if ddl == "" {
			return usererr.New("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Topic %s has no columns of its own: its rows are keys and values.", name).WithFix("Create a topic with a column list.")
		}
		schema, err := column.ParseDDL(ddl)
		if err != nil {
			return err
		}
		for _, f := range c.Add {
			if schema.Index(f.Name) >= 0 {
				return usererr.New("FIELD_ALREADY_EXISTS", "42710", "Cannot add column, because `%s` already exists in `%s`.", f.Name, name).WithFix("Give it another name.")
			}
			schema.Fields = append(schema.Fields, f)
		}
		set["streamflow.schema"] = schema.String()
	}
	return p.Env.Broker.AlterConfigs(ctx, topic.Name, set, c.Unset)
}
