package tpch

import (
	"math"

	"github.com/streamflow/streamflow/column"
)

// Scale is the scale factor: 1 is about a gigabyte of text.
type Scale float64

func (s Scale) of(base float64) int64 { return int64(math.Round(float64(s) * base)) }
func (s Scale) suppliers() int64      { return s.of(10_000) }
func (s Scale) parts() int64          { return s.of(200_000) }
func (s Scale) customers() int64      { return s.of(150_000) }
func (s Scale) orders() int64         { return s.of(1_500_000) }
func (s Scale) clerks() int64         { return max(s.of(1_000), 1_000) }

// Table is one of the eight tables.
type Table struct {
	Name   string
	Schema *column.Schema

	units  func(Scale) int64
	perRow int // rows of a unit, about
	open   func(Scale) generator
}

// generator makes a table's rows one unit after the other.
type generator interface {
	skip(units int64)
	fresh()
	row() // the rows of one unit
	batch() *column.Batch
}

// Tables are all tables, the small ones first.
var Tables = []Table{
	{"region", regionSchema, func(Scale) int64 { return int64(len(regions)) }, 1, newRegion},
	{"nation", nationSchema, func(Scale) int64 { return int64(len(nations)) }, 1, newNation},
	{"supplier", supplierSchema, Scale.suppliers, 1, newSupplier},
	{"customer", customerSchema, Scale.customers, 1, newCustomer},
	{"part", partSchema, Scale.parts, 1, newPart},
	{"partsupp", partsuppSchema, Scale.parts, suppliersOfPart, newPartsupp},
	{"orders", ordersSchema, Scale.orders, 1, newOrders},
	{"lineitem", lineitemSchema, Scale.orders, (maxLines + 1) / 2, newLineitem},
}

// Units is how many units the table has: rows, but orders for lineitem and parts for partsupp.
func (t Table) Units(s Scale) int64 { return t.units(s) }

// Reader reads a range of a table.
type Reader struct {
	g        generator
	left     int64
	perBatch int64
}

// Read returns a reader of the units from..to, counted from 0.
func (t Table) Read(s Scale, from, to int64) *Reader {
	g := t.open(s)
	g.skip(from)
	return &Reader{g: g, left: max(to-from, 0), perBatch: int64(column.BatchRows / t.perRow)}
}

// Next returns the next rows, nil at the end. They are valid until the next call.
func (r *Reader) Next() *column.Batch {
	if r.left == 0 {
		return nil
	}
	n := min(r.left, r.perBatch)
	r.left -= n
	r.g.fresh()
	for range n {
		r.g.row()
	}
	return r.g.batch()
}
