package file

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Stage is the terminal operator: it writes its partition's rows into one staged file, synced, and reports it.
type Stage struct {
	Dir     string
	Format  string
	Schema  *column.Schema
	Options Options
}

func init() {
	rdd.Register("file.Stage", (*Stage)(nil))
	rdd.Register("file.Scan", (*Scan)(nil))
}

func (s *Stage) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	return &stager{s: s, tc: tc, op: tc.Op, in: in[0]}, nil
}

type stager struct {
	s    *Stage
	tc   *rdd.TaskContext
	op   string
	in   rdd.Reader
	done bool

	f   *os.File
	buf *bufio.Writer
	w   writer
	tok staged
}

func (s *stager) Next() (*column.Batch, error) {
	if s.done {
		return nil, io.EOF
	}
	s.done = true
	for {
		b, err := s.in.Next()
		if err == io.EOF {
			break
		}
		if err == nil && b.N > 0 {
			err = s.write(b)
		}
		if err != nil {
			return nil, err
		}
	}
	if s.f == nil {
		return nil, io.EOF
	}
	if err := s.finish(); err != nil {
		return nil, fmt.Errorf("file: stage %s: %w", s.tok.Staged, err)
	}
	return nil, io.EOF
}

// write opens the file with the first rows.
func (s *stager) write(b *column.Batch) error {
	if s.f == nil {
		if err := s.create(); err != nil {
			return err
		}
	}
	s.tok.Rows += int64(b.N)
	if err := s.w.write(b); err != nil {
		return fmt.Errorf("file: stage %s: %w", s.tok.Staged, err)
	}
	return nil
}

func (s *stager) create() error {
	bind, ext := s.tc.Binding, s.s.Options.extension(s.s.Format)
	write := bind.Params[writeParam]
	s.tok.Staged = fmt.Sprintf("%s%d-%d-%d%s", stagedPrefix(write, bind.Batch), bind.Epoch, s.tc.Partition, s.tc.Attempt, ext)
	s.tok.Name = fmt.Sprintf("part-%05d-%s-%d%s", s.tc.Partition, write, bind.Batch, ext)
	f, err := os.Create(filepath.Join(s.s.Dir, s.tok.Staged))
	if err != nil {
		return fmt.Errorf("file: stage: %w", err)
	}
	s.f, s.buf = f, bufio.NewWriterSize(f, 256<<10)
	s.w, err = formats[s.s.Format].writer(s.buf, s.s.Schema, s.s.Options)
	return err
}

func (s *stager) finish() error {
	err := s.w.close()
	if err == nil {
		err = s.buf.Flush()
	}
	if err == nil {
		err = s.f.Sync()
	}
	if info, e := s.f.Stat(); e == nil {
		s.tok.Bytes = info.Size()
	}
	if e := s.f.Close(); err == nil {
		err = e
	}
	s.f = nil
	if err != nil {
		return err
	}
	tok, err := json.Marshal(s.tok)
	if err == nil {
		s.tc.Report(s.op, connector.TokenKey, tok)
	}
	return err
}

// Close ends an unfinished file; Abort removes it.
func (s *stager) Close() error {
	err := s.in.Close()
	if s.f != nil {
		err = errors.Join(err, s.f.Close())
	}
	return err
}
