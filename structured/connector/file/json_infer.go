package file

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"sort"
	"strings"

	"github.com/streamflow/streamflow/column"
)

// infer finds the schema in the first objects. Columns are sorted by name, as in Spark; where something is no object there is
// a column for it besides.
func (jsonFormat) infer(_ context.Context, files []entry, opt Options) (*column.Schema, error) {
	all := column.StructOf()
	rows := 0
	for _, f := range files {
		if rows >= inferRows {
			break
		}
		data, err := json.Marshal(span{Path: f.path, To: -1})
		if err != nil {
			return nil, err
		}
		in, err := openObjects(data, &opt)
		if err != nil {
			return nil, err
		}
		err = sampleJSON(in, opt, &all, &rows)
		if e := in.close(); err == nil {
			err = e
		}
		if err != nil {
			return nil, err
		}
	}
	return &column.Schema{Fields: all.Fields}, nil
}

// sampleJSON merges the types of one file's objects into all; what is no object is left to the mode at reading.
func sampleJSON(lines records, opt Options, all *column.Type, rows *int) error {
	for *rows < inferRows {
		line, err := lines.next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		var v any
		d := json.NewDecoder(bytes.NewReader(line))
		d.UseNumber()
		err = d.Decode(&v)
		switch t := jsonType(v, opt.PrimitivesAsText); {
		case err == nil && t.Kind == column.Struct:
			*all = mergeTypes(*all, t)
			*rows++
		case len(bytes.TrimSpace(line)) == 0:
		case opt.Mode == failFast:
			path, n := lines.place()
			return malformed(path, n, "%v", err)
		case opt.Mode == permissive:
			*all = mergeTypes(*all, column.StructOf(column.Field{Name: opt.CorruptRecord, Type: column.Of(column.String), Nullable: true}))
		}
	}
	return nil
}

// jsonType is the type of a decoded value; asText makes text of numbers and booleans.
func jsonType(v any, asText bool) column.Type {
	switch v := v.(type) {
	case bool:
		if asText {
			return column.Of(column.String)
		}
		return column.Of(column.Bool)
	case json.Number:
		if asText {
			return column.Of(column.String)
		}
		if _, err := v.Int64(); err == nil {
			return column.Of(column.Int64)
		}
		return column.Of(column.Float64)
	case string:
		return column.Of(column.String)
	case []any:
		elem := column.Type{}
		for _, x := range v {
			elem = mergeTypes(elem, jsonType(x, asText))
		}
		return column.ListOf(elem, true)
	case map[string]any:
		var fields []column.Field
		for name, x := range v {
			fields = append(fields, column.Field{Name: name, Type: jsonType(x, asText), Nullable: true})
		}
		sortFields(fields)
		return column.StructOf(fields...)
	}
	return column.Type{}
}

func sortFields(fields []column.Field) {
	sort.Slice(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
}

// mergeTypes is a type that holds values of both; text holds anything.
func mergeTypes(a, b column.Type) column.Type {
	switch {
	case a.Kind == column.Null:
		return b
	case b.Kind == column.Null:
		return a
	case a.Kind == column.Struct && b.Kind == column.Struct:
		return mergeStructs(a, b)
	case a.Kind == column.List && b.Kind == column.List:
		return column.ListOf(mergeTypes(a.Elem(), b.Elem()), true)
	case a.Kind == b.Kind:
		return a
	case a.IsNumeric() && b.IsNumeric():
		return column.Of(column.Float64)
	}
	return column.Of(column.String)
}

func mergeStructs(a, b column.Type) column.Type {
	fields := append([]column.Field{}, a.Fields...)
	for _, f := range b.Fields {
		found := false
		for i := range fields {
			if strings.EqualFold(fields[i].Name, f.Name) {
				fields[i].Type, found = mergeTypes(fields[i].Type, f.Type), true
			}
		}
		if !found {
			fields = append(fields, f)
		}
	}
	sortFields(fields)
	return column.StructOf(fields...)
}
