package cached

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Account gives out memory. Reserve is false when there is none left.
type Account interface {
	Reserve(bytes int64) bool
	Release(bytes int64)
}

// Table is a result that is kept. It is made by a Builder.
type Table struct {
	name     string
	provider string
	options  map[string]string
	schema   *column.Schema
	chunks   []chunk
	rows     int64

	account Account
	held    int64  // bytes of the account
	path    string // of chunks on disk, "" when all are in memory
}

// chunk is an encoded batch: data when it is in memory, else a part of the file.
type chunk struct {
	rows         int64
	data         []byte
	offset, size int64
}

func (t *Table) Name() string               { return t.name }
func (t *Table) Schema() *column.Schema     { return t.schema }
func (t *Table) Hidden() int                { return 0 }
func (t *Table) Provider() string           { return t.provider }
func (t *Table) Options() map[string]string { return t.options }

// Memory and Disk are the bytes that the table holds.
func (t *Table) Memory() int64 { return t.held }
func (t *Table) Disk() (n int64) {
	for _, c := range t.chunks {
		if c.data == nil {
			n += c.size
		}
	}
	return n
}

// Drop gives back memory and disk. Scans that are running keep what they have in memory; one that reads from disk fails.
func (t *Table) Drop() error {
	t.account.Release(t.held)
	t.held, t.chunks = 0, nil
	if t.path == "" {
		return nil
	}
	if err := os.Remove(t.path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("cached: %w", err)
	}
	return nil
}

const (
	inMemory = 0
	onDisk   = 1
	header   = 8 // of a chunk; its first byte says where it is, the others keep the batch aligned
)

// PlanScan gives each partition an equal part of the chunks.
func (t *Table) PlanScan(_ context.Context, req connector.ScanRequest) (*connector.Scan, error) {
	n := max(1, min(req.Partitions, len(t.chunks)))
	splits := make([][]rdd.Split, n)
	for i, c := range t.chunks {
		s := rdd.Split{Rows: c.rows, Bytes: c.size}
		if c.data != nil {
			s.Data = c.data
		} else {
			s.Data = binary.BigEndian.AppendUint64([]byte{onDisk}, uint64(c.offset))
			s.Data = append(binary.BigEndian.AppendUint64(s.Data, uint64(c.size)), t.path...)
		}
		at := i * n / len(t.chunks)
		splits[at] = append(splits[at], s)
	}
	note := fmt.Sprintf("cached: %d rows, %d bytes in memory, %d on disk", t.rows, t.held, t.Disk())
	return &connector.Scan{Op: &Scan{Schema: t.schema, Columns: req.Columns}, Splits: splits, Residual: req.Filters, Note: note}, nil
}

// Builder fills a table.
type Builder struct {
	t   *Table
	dir string
	f   *os.File
	w   *bufio.Writer
	at  int64
}

// NewBuilder begins a table of a schema that stands for the table like: it has its name, provider and options. Chunks for which
// account has no room go into a file in dir.
func NewBuilder(name, provider string, options map[string]string, schema *column.Schema, account Account, dir string) *Builder {
	return &Builder{t: &Table{name: name, provider: provider, options: options, schema: schema, account: account}, dir: dir}
}

// Append keeps the rows of a batch.
func (b *Builder) Append(batch *column.Batch) error {
	if batch.N == 0 {
		return nil
	}
	data := column.EncodeBatch(make([]byte, header, header+64), batch)
	c := chunk{rows: int64(batch.N), size: int64(len(data))}
	b.t.rows += c.rows
	if b.t.account.Reserve(c.size) {
		b.t.held += c.size
		c.data = data
		b.t.chunks = append(b.t.chunks, c)
		return nil
	}
	if err := b.spill(&c, data); err != nil {
		return fmt.Errorf("cached: %w", err)
	}
	b.t.chunks = append(b.t.chunks, c)
	return nil
}

func (b *Builder) spill(c *chunk, data []byte) error {
	if b.f == nil {
		if b.dir != "" {
			if err := os.MkdirAll(b.dir, 0o755); err != nil {
				return err
			}
		}
		f, err := os.CreateTemp(b.dir, "cached-*")
		if err != nil {
			return err
		}
		b.f, b.w, b.t.path = f, bufio.NewWriterSize(f, 1<<20), f.Name()
	}
	c.offset = b.at
	b.at += c.size
	_, err := b.w.Write(data)
	return err
}

// Finish is the table.
func (b *Builder) Finish() (*Table, error) {
	if b.f == nil {
		return b.t, nil
	}
	err := errors.Join(b.w.Flush(), b.f.Close())
	b.f = nil
	if err != nil {
		return nil, errors.Join(fmt.Errorf("cached: %w", err), b.t.Drop())
	}
	return b.t, nil
}

// Abandon gives back what an unfinished table holds.
func (b *Builder) Abandon() error {
	var err error
	if b.f != nil {
		err = b.f.Close()
	}
	return errors.Join(err, b.t.Drop())
}
