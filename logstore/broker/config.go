package broker

import (
	"strconv"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// ValidateConfigs checks a topic's whole configuration.
func ValidateConfigs(configs map[string]string) error {
	for _, k := range sortedKeys(configs) {
		if err := knownConfig(k); err != nil {
			return err
		}
		if err := configKeys[k].check(configs[k]); err != nil {
			return err
		}
	}
	return validateTogether(configs)
}

// validateTogether checks what only several keys can say: the schema, and what needs one.
func validateTogether(configs map[string]string) error {
	if err := validateTier(configs); err != nil {
		return err
	}
	ddl, eventTime := configs["streamflow.schema"], configs["streamflow.event.time"]
	if ddl == "" {
		if f := configs["streamflow.format"]; f == "json" || f == "arrow" {
			return invalidConfig("streamflow.format", "format %s wants a schema", f).WithFix("Set streamflow.schema.")
		}
		if eventTime != "" {
			return invalidConfig("streamflow.event.time", "an event time column wants a schema").WithFix("Set streamflow.schema.")
		}
		return nil
	}
	schema, err := column.ParseDDL(ddl)
	if err != nil {
		return invalidSchema(err)
	}
	if eventTime != "" {
		return validateEventTime(schema, eventTime)
	}
	return nil
}

// invalidSchema keeps what the DDL parser says, and where it says it, under this package's code.
func invalidSchema(err error) error {
	ue, ok := usererr.As(err)
	if !ok {
		return invalidConfig("streamflow.schema", "%v", err)
	}
	e := invalidConfig("streamflow.schema", "schema: %s", strings.TrimSuffix(ue.Message, ".")).WithFix("%s", ue.Fix)
	e.Text, e.Line, e.Col = ue.Text, ue.Line, ue.Col
	return e
}

func validateEventTime(schema *column.Schema, name string) error {
	i := schema.Index(name)
	if i < 0 {
		var names []string
		for _, f := range schema.Fields {
			names = append(names, f.Name)
		}
		e := invalidConfig("streamflow.event.time", "the schema has no column %q", name)
		if near := nearest(name, names); near != "" {
			return e.WithFix("Did you mean %q?", near)
		}
		return e
	}
	if k := schema.Fields[i].Type.Kind; k != column.Timestamp && k != column.TimestampNTZ {
		return invalidConfig("streamflow.event.time", "column %q is %s, not TIMESTAMP", name, schema.Fields[i].Type)
	}
	return nil
}

func knownConfig(key string) error {
	if configKeys[key] != nil {
		return nil
	}
	e := invalidConfig(key, "no topic config is called %q", key)
	if near := nearest(key, sortedKeys(configKeys)); near != "" {
		return e.WithFix("Did you mean %q?", near)
	}
	return e
}

func invalidConfig(key, format string, args ...any) *usererr.Error {
	return usererr.New(CodeInvalidConfig, "22023", format, args...).In(key).With("key", key)
}

func (k *ConfigKey) check(v string) error {
	switch k.Kind {
	case KindBool:
		return k.checkOneOf(v, []string{"true", "false"})
	case KindEnum:
		return k.checkOneOf(v, k.Values)
	case KindList:
		for e := range strings.SplitSeq(v, ",") {
			if err := k.checkOneOf(strings.TrimSpace(e), k.Values); err != nil {
				return err
			}
		}
	case KindInt:
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil || n < k.Min || n > k.Max {
			return invalidConfig(k.Name, "%s is %q, not a whole number from %d to %d", k.Name, v, k.Min, k.Max)
		}
	case KindFloat:
		f, err := strconv.ParseFloat(v, 64)
		if err != nil || !(f >= 0 && f <= 1) {
			return invalidConfig(k.Name, "%s is %q, not a number from 0 to 1", k.Name, v)
		}
	}
	return nil
}

func (k *ConfigKey) checkOneOf(v string, values []string) error {
	for _, ok := range values {
		if v == ok {
			return nil
		}
	}
	e := invalidConfig(k.Name, "%s is %q", k.Name, v)
	return e.WithFix("It can be %s.", strings.Join(values, ", "))
}
