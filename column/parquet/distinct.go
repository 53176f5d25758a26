package parquet

import (
	"github.com/apache/arrow/go/v17/parquet/file"
)

// fullDictionary is the size from which on a dictionary may have been given up for plain values: writers stop at one or
// two megabytes.
const fullDictionary = 900 << 10

// Distinct is how many different values a column of a row group has, by its dictionary; 0 when it has none or the dictionary
// may not hold them all. It reads the dictionary.
func (f *File) Distinct(group, col int) (n int64) {
	node := &f.nodes[col]
	if !node.flat() {
		return 0
	}
	// A dictionary that cannot be read is one that is not there: whoever reads the column will say why.
	defer func() {
		if recover() != nil {
			n = 0
		}
	}()
	meta, err := f.r.MetaData().RowGroup(group).ColumnChunk(node.leaf)
	if err != nil || !meta.HasDictionaryPage() {
		return 0
	}
	pages, err := f.r.RowGroup(group).GetColumnPageReader(node.leaf)
	if err != nil || !pages.Next() {
		return 0
	}
	p, ok := pages.Page().(*file.DictionaryPage)
	if !ok || len(p.Data()) >= fullDictionary {
		return 0
	}
	return int64(p.NumValues())
}

// ColumnBytes is the size of a column of a row group before compression, 0 when it is not known.
func (f *File) ColumnBytes(group, col int) (n int64) {
	defer func() {
		if recover() != nil {
			n = 0
		}
	}()
	for _, leaf := range f.nodes[col].leaves(nil) {
		meta, err := f.r.MetaData().RowGroup(group).ColumnChunk(leaf.leaf)
		if err != nil {
			return 0
		}
		n += meta.TotalUncompressedSize()
	}
	return n
}
