package catalog

import (
	"context"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/structured/logical"
)

type table struct{ def TableDef }

func (t table) Name() string               { return t.def.Name }
func (t table) Schema() *column.Schema     { return t.def.Schema }
func (t table) Hidden() int                { return 0 }
func (t table) Provider() string           { return t.def.Provider }
func (t table) Options() map[string]string { return t.def.Options }

// files opens any declared table; topics owns its tables.
type files struct{}

func (files) Open(_ context.Context, def TableDef) (logical.Table, error) {
	if def.Options["path"] == "" {
		return nil, usererr.New("PATH_MISSING", "", "no path")
	}
	return table{def}, nil
}

type topics struct{ m map[string]TableDef }

func (t topics) Open(_ context.Context, def TableDef) (logical.Table, error) { return table{def}, nil }
func (t topics) Lookup(_ context.Context, name string) (logical.Table, bool, error) {
	d, ok := t.m[name]
	return table{d}, ok, nil
}
func (t topics) Create(_ context.Context, def TableDef) error { t.m[def.Name] = def; return nil }
func (t topics) Drop(_ context.Context, name string) error    { delete(t.m, name); return nil }
func (t topics) Names(context.Context) (names []string, _ error) {
	for n := range t.m {
		names = append(names, n)
	}
	return names, nil
}

func newTestNode() (*Node, topics) {
	p, owner := NewProviders(), topics{map[string]TableDef{}}
	p.Register("parquet", files{})
	p.Register("topic", owner)
	return NewMemory(p), owner
}

var schema = column.NewSchema(column.Field{Name: "ts", Type: column.Of(column.Timestamp)}, column.Field{Name: "odd name", Type: column.ListOf(column.Of(column.Int32), true), Nullable: true})

func code(err error) string {
	if u, ok := usererr.As(err); ok {
		return u.Code
	}
	return ""
}

func TestDefinedTable(t *testing.T) {
	ctx := context.Background()
	n, _ := newTestNode()
	def := TableDef{Name: "Flights", Provider: "parquet", Schema: schema, Options: map[string]string{"path": "/x"}, EventTime: "ts", Delay: 90e6}
	if err := n.CreateTable(ctx, def); err != nil {
		t.Fatal(err)
	}
	tab, ok, err := n.Table(ctx, "FLIGHTS")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if tab.Name() != "Flights" || !tab.Schema().Equal(schema) || tab.Options()[logical.OptionEventTime] != "ts" || tab.Options()[logical.OptionDelayMs] != "90000" {
		t.Errorf("opened %s %s %v", tab.Name(), tab.Schema(), tab.Options())
	}
	if err := n.CreateTable(ctx, def); code(err) != "TABLE_OR_VIEW_ALREADY_EXISTS" {
		t.Errorf("second creation: %v", err)
	}
	def.Replace, def.Options = true, map[string]string{"path": "/y"}
	if err := n.CreateTable(ctx, def); err != nil {
		t.Error(err)
	}
	if err := n.CreateView(ctx, "flights", "SELECT 1", true); code(err) != "TABLE_OR_VIEW_ALREADY_EXISTS" {
		t.Errorf("a view may not replace a table: %v", err)
	}
	if err := n.Drop(ctx, "flights", true); code(err) != "EXPECT_TABLE_NOT_OTHER" {
		t.Errorf("drop view: %v", err)
	}
	if err := n.Drop(ctx, "flights", false); err != nil {
		t.Error(err)
	}
	if _, ok, _ := n.Table(ctx, "flights"); ok {
		t.Error("dropped table is still there")
	}
}

func TestBadTableIsNotKept(t *testing.T) {
	ctx := context.Background()
	n, _ := newTestNode()
	if err := n.CreateTable(ctx, TableDef{Name: "t", Provider: "parquet"}); code(err) != "PATH_MISSING" {
		t.Errorf("%v", err)
	}
	err := n.CreateTable(ctx, TableDef{Name: "t", Provider: "parket"})
	if code(err) != "DATA_SOURCE_NOT_FOUND" || !strings.Contains(err.Error(), "Did you mean parquet?") {
		t.Errorf("%v", err)
	}
	if list, _ := n.List(ctx); len(list) != 0 {
		t.Errorf("kept %v", list)
	}
}

func TestOwnedTables(t *testing.T) {
	ctx := context.Background()
	n, owner := newTestNode()
	if err := n.CreateTable(ctx, TableDef{Name: "Events", Provider: "topic", Schema: schema}); err != nil {
		t.Fatal(err)
	}
	if _, ok := owner.m["Events"]; !ok {
		t.Fatal("the owner has not created the topic")
	}
	if _, ok, _ := n.Table(ctx, "events"); !ok {
		t.Error("not found without case")
	}
	owner.m["EVENTS"] = TableDef{Name: "EVENTS"}
	if _, ok, _ := n.Table(ctx, "events"); ok {
		t.Error("two topics differ in case only: neither is meant")
	}
	if err := n.CreateView(ctx, "Events", "SELECT 1", false); code(err) != "TABLE_OR_VIEW_ALREADY_EXISTS" {
		t.Errorf("%v", err)
	}
	if err := n.Drop(ctx, "Events", false); err != nil || len(owner.m) != 1 {
		t.Errorf("drop: %v, left %v", err, owner.m)
	}
	err := n.Drop(ctx, "Evnts", false)
	if code(err) != "TABLE_OR_VIEW_NOT_FOUND" || !strings.Contains(err.Error(), "EVENTS") {
		t.Errorf("%v", err)
	}
}

func TestViews(t *testing.T) {
	ctx := context.Background()
	n, _ := newTestNode()
	if err := n.CreateView(ctx, "V", "SELECT 1", false); err != nil {
		t.Fatal(err)
	}
	if sql, ok := n.View("v"); !ok || sql != "SELECT 1" {
		t.Errorf("%q %v", sql, ok)
	}
	list, err := n.List(ctx)
	if err != nil || len(list) != 1 || list[0] != (Entry{Name: "V", Kind: "view"}) {
		t.Errorf("%v %v", list, err)
	}

	vs := NewViews()
	plan := &logical.Range{End: 1}
	if err := vs.Put("Temp", plan, false); err != nil {
		t.Fatal(err)
	}
	if err := vs.Put("temp", plan, false); code(err) != "TABLE_OR_VIEW_ALREADY_EXISTS" {
		t.Errorf("%v", err)
	}
	if p, ok := vs.Get("TEMP"); !ok || p != plan {
		t.Error("not found")
	}
	if got := Suggest(ctx, n, vs, "tmep"); len(got) != 1 || got[0] != "Temp" {
		t.Errorf("suggested %v", got)
	}
	if !vs.Drop("temp") || vs.Drop("temp") {
		t.Error("drop")
	}
}

func TestNewerDefinitionIsRefused(t *testing.T) {
	n, _ := newTestNode()
	if err := n.entries.Put(context.Background(), Stored{Name: "t", Kind: KindTable, Body: []byte(`{"v":2,"name":"t"}`)}, false); err != nil {
		t.Fatal(err)
	}
	if _, _, err := n.Table(context.Background(), "t"); err == nil || !strings.Contains(err.Error(), "version 2") {
		t.Errorf("%v", err)
	}
}
