package connect

import (
	"encoding/json"
	"strings"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
)

// parseType reads a type as text: DDL such as "array<int>", or Spark's JSON.
func parseType(text string) (column.Type, error) {
	if looksLikeJSON(text) {
		return typeFromJSON([]byte(text))
	}
	t, err := column.ParseType(text)
	if err == nil {
		return t, nil
	}
	if fields, ferr := column.ParseDDL(text); ferr == nil {
		return column.StructOf(fields.Fields...), nil
	}
	return column.Type{}, err
}

// parseSchema reads a schema as text: "a INT, b STRING", a single type (one column named value), or Spark's JSON.
func parseSchema(text string) (*column.Schema, error) {
	if !looksLikeJSON(text) {
		s, err := column.ParseDDL(text)
		if err == nil {
			return s, nil
		}
		t, terr := parseType(text)
		if terr != nil {
			return nil, err
		}
		return asSchema(t), nil
	}
	t, err := typeFromJSON([]byte(text))
	if err != nil {
		return nil, err
	}
	return asSchema(t), nil
}

func asSchema(t column.Type) *column.Schema {
	if t.Kind == column.Struct {
		return column.NewSchema(t.Fields...)
	}
	return column.NewSchema(column.Field{Name: "value", Type: t, Nullable: true})
}

func looksLikeJSON(text string) bool {
	t := strings.TrimSpace(text)
	return strings.HasPrefix(t, "{") || strings.HasPrefix(t, `"`)
}

func badType(text string) *usererr.Error {
	return usererr.New("PARSE_SYNTAX_ERROR", "42601", "Syntax error at or near %q: it is no data type.", text).
		WithFix(`Write a type such as "array<int>" or a schema such as "a INT, b STRING".`)
}

type jsonField struct {
	Name     string          `json:"name"`
	Type     json.RawMessage `json:"type"`
	Nullable bool            `json:"nullable"`
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

type jsonComplex struct {
	Type              string          `json:"type"`
	ElementType       json.RawMessage `json:"elementType"`
	ContainsNull      bool            `json:"containsNull"`
	KeyType           json.RawMessage `json:"keyType"`
	ValueType         json.RawMessage `json:"valueType"`
	ValueContainsNull bool            `json:"valueContainsNull"`
	Fields            []jsonField     `json:"fields"`
	SQLType           json.RawMessage `json:"sqlType"`
}

// jsonNames are the types whose JSON name is not their DDL name.
var jsonNames = map[string]string{"integer": "int", "long": "bigint", "short": "smallint", "byte": "tinyint", "null": "void"}

// typeFromJSON reads a type in the form of Spark's DataType.json.
func typeFromJSON(data []byte) (column.Type, error) { return readJSONType(data, 0) }

func readJSONType(data []byte, depth int) (column.Type, error) {
	if depth > maxDepth {
		return column.Type{}, tooDeep()
	}
	var name string
	if json.Unmarshal(data, &name) == nil {
		return simpleFromJSON(name)
	}
	var c jsonComplex
	if err := json.Unmarshal(data, &c); err != nil {
		return column.Type{}, badType(string(data))
	}
	switch c.Type {
	case "struct":
		fields := make([]column.Field, 0, len(c.Fields))
		for _, f := range c.Fields {
			t, err := readJSONType(f.Type, depth+1)
			if err != nil {
				return column.Type{}, err
			}
			fields = append(fields, column.Field{Name: f.Name, Type: t, Nullable: f.Nullable})
		}
		return column.StructOf(fields...), nil
	case "array":
		elem, err := readJSONType(c.ElementType, depth+1)
		return column.ListOf(elem, c.ContainsNull), err
	case "map":
		key, err := readJSONType(c.KeyType, depth+1)
		if err != nil {
			return key, err
		}
		value, err := readJSONType(c.ValueType, depth+1)
		return column.MapOf(key, value, c.ValueContainsNull), err
	case "udt":
		return readJSONType(c.SQLType, depth+1)
	}
	return column.Type{}, badType(string(data))
}

func simpleFromJSON(name string) (column.Type, error) {
	if ddl, ok := jsonNames[name]; ok {
		name = ddl
	}
	if looksLikeJSON(name) {
		return column.Type{}, badType(name)
	}
	t, err := column.ParseType(name)
	if err != nil {
		return column.Type{}, badType(name)
	}
	return t, nil
}

// typeToJSON is t in the form of Spark's DataType.json.
func typeToJSON(t column.Type) any {
	switch t.Kind {
	case column.List:
		return ordered{{"type", "array"}, {"elementType", typeToJSON(t.Elem())}, {"containsNull", t.Fields[0].Nullable}}
	case column.Map:
		return ordered{{"type", "map"}, {"keyType", typeToJSON(t.Fields[0].Type)}, {"valueType", typeToJSON(t.Fields[1].Type)},
			{"valueContainsNull", t.Fields[1].Nullable}}
	case column.Struct:
		fields := make([]any, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = ordered{{"name", f.Name}, {"type", typeToJSON(f.Type)}, {"nullable", f.Nullable}, {"metadata", ordered{}}}
		}
		return ordered{{"type", "struct"}, {"fields", fields}}
	}
	return typeName(t)
}

// typeName is the name of a type as Spark's typeName and printSchema have it: integer where DDL says int.
func typeName(t column.Type) string {
	switch t.Kind {
	case column.Int8:
		return "byte"
	case column.Int16:
		return "short"
	case column.Int32:
		return "integer"
	case column.Int64:
		return "long"
	case column.Calendar:
		return "interval"
	case column.List:
		return "array"
	case column.Map:
		return "map"
	case column.Struct:
		return "struct"
	}
	return t.String()
}

// schemaToJSON is a schema in the form of Spark's StructType.json.
func schemaToJSON(s *column.Schema) string {
	b, _ := json.Marshal(typeToJSON(column.StructOf(s.Fields...)))
	return string(b)
}

// ordered is a JSON object whose keys keep their order.
type ordered []struct {
	Key   string
	Value any
}

func (o ordered) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, kv := range o {
		if i > 0 {
			b = append(b, ',')
		}
		k, err := json.Marshal(kv.Key)
		if err != nil {
			return nil, err
		}
		v, err := json.Marshal(kv.Value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, k...), ':'), v...)
	}
	return append(b, '}'), nil
}

// schemaDDL is a schema as Spark's StructType.toDDL: a INT NOT NULL,b STRING.
func schemaDDL(s *column.Schema) string {
	parts := make([]string, len(s.Fields))
	for i, f := range s.Fields {
		parts[i] = quoteName(f.Name) + " " + strings.ToUpper(f.Type.String())
		if !f.Nullable {
			parts[i] += " NOT NULL"
		}
	}
	return strings.Join(parts, ",")
}

func quoteName(name string) string {
	plain := name != ""
	for i, r := range name {
		if r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (i == 0 || r < '0' || r > '9') {
			plain = false
		}
	}
	if plain {
		return name
	}
	return "`" + strings.ReplaceAll(name, "`", "``") + "`"
}
