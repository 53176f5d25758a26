package tpch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/column/parquet"
)

// Options say where and how tables are written.
type Options struct {
	Dir         string
	Scale       Scale
	Parts       int    // files of a table; 0 is 1
	Workers     int    // files written at once; 0 is 1
	Compression string // as parquet.Options has it
	Tables      []Table
}

// rowGroupRows is small enough that a few processors share the rows of a part.
const rowGroupRows = 1 << 17

// piece is a file to write.
type piece struct {
	Table
	path     string
	from, to int64
}

// Write writes tables as DIR/TABLE/part-00000.parquet and so on. A file has its name only when it is complete. Regions and
// nations take one file.
func Write(ctx context.Context, o Options) error {
	pieces, err := o.pieces()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, errs := make(chan piece), make(chan error, len(pieces))
	var wg sync.WaitGroup
	for range max(o.Workers, 1) {
		wg.Go(func() {
			for p := range work {
				if err := p.write(ctx, o); err != nil {
					errs <- err
					cancel()
				}
			}
		})
	}
	for i := range pieces {
		work <- pieces[len(pieces)-1-i] // the largest tables first
	}
	close(work)
	wg.Wait()
	close(errs)
	return <-errs
}

// pieces makes the directories and cuts the tables.
func (o Options) pieces() ([]piece, error) {
	var out []piece
	for _, t := range o.Tables {
		dir := filepath.Join(o.Dir, t.Name)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return nil, fmt.Errorf("tpch: %w", err)
		}
		units, parts := t.Units(o.Scale), int64(max(o.Parts, 1))
		if units < 100 {
			parts = 1
		}
		for i := range parts {
			out = append(out, piece{t, filepath.Join(dir, fmt.Sprintf("part-%05d.parquet", i)), units * i / parts, units * (i + 1) / parts})
		}
	}
	return out, nil
}

func (p piece) write(ctx context.Context, o Options) (err error) {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f, err := os.Create(p.path + ".part")
	if err != nil {
		return fmt.Errorf("tpch: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err == nil {
			err = os.Rename(f.Name(), p.path)
		}
	}()
	w, err := parquet.NewWriter(f, p.Schema, parquet.Options{Compression: o.Compression, RowGroupRows: rowGroupRows})
	if err != nil {
		return err
	}
	r := p.Read(o.Scale, p.from, p.to)
	for b := r.Next(); b != nil; b = r.Next() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := w.Write(b); err != nil {
			return fmt.Errorf("tpch: %s: %w", p.path, err)
		}
	}
	return w.Close()
}

// DDL is the statement that declares a table over its files in a directory.
func (t Table) DDL(dir string) string {
	path := strings.ReplaceAll(filepath.Join(dir, t.Name), "'", `\'`)
	return fmt.Sprintf("CREATE TABLE %s (%s) USING parquet LOCATION '%s'", t.Name, t.Schema, path)
}

// View is the statement that declares a table over its files to DuckDB.
func (t Table) View(dir string) string {
	path := strings.ReplaceAll(filepath.Join(dir, t.Name, "*.parquet"), "'", "''")
	return fmt.Sprintf("CREATE VIEW %s AS SELECT * FROM read_parquet('%s')", t.Name, path)
}
