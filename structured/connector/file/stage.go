package file

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"

	"github.com/streamflow/streamflow/column"
	"github.com/streamflow/streamflow/internal/vfs"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/connector"
)

// Stage is the terminal operator: it writes its partition's rows into a staged file, synced, and reports it; with PartitionBy,
// into one for each directory.
type Stage struct {
	Dir         string
	Format      string
	Schema      *column.Schema
	Options     Options
	PartitionBy []int // columns of Schema whose values become directories, in their order
}

func init() {
	rdd.Register("file.Stage", (*Stage)(nil))
	rdd.Register("file.Scan", (*Scan)(nil))
}

// FilesName is the name of the task service, a vfs.FS, that files are written to; without one it is the machine's.
const FilesName = "files"

func (s *Stage) Open(tc *rdd.TaskContext, in []rdd.Reader) (rdd.Reader, error) {
	files, ok := tc.Services[FilesName].(vfs.FS)
	if !ok {
		files = vfs.OS
	}
	return &stager{fs: files, s: s, tc: tc, op: tc.Op, in: in[0], data: s.Schema, files: map[string]*stagedFile{}}, nil
}

type stager struct {
	fs    vfs.FS
	s     *Stage
	tc    *rdd.TaskContext
	op    string
	in    rdd.Reader
	done  bool
	data  *column.Schema // the columns of the files
	by    *divider       // with PartitionBy
	files map[string]*stagedFile
	order []string // directories of open files, the one opened first at the front
	made  int      // files made
}

// maxOpen is how many files of directories a task has open at once; for one more the oldest is finished.
const maxOpen = 128

// stagedFile is a file being written.
type stagedFile struct {
	f   vfs.File
	end int64
	buf *bufio.Writer
	w   writer
	tok staged
}

func (s *stager) Next() (*column.Batch, error) {
	if s.done {
		return nil, io.EOF
	}
	s.done = true
	if len(s.s.PartitionBy) > 0 {
		s.by = newDivider(s.s.Schema, s.s.PartitionBy, s.s.Options.Location)
		s.data = s.by.data
	}
	for {
		b, err := s.in.Next()
		if err == io.EOF {
			break
		}
		if err == nil && b.N > 0 {
			err = s.divide(b)
		}
		if err != nil {
			return nil, err
		}
	}
	for len(s.order) > 0 {
		if err := s.finish(s.order[0]); err != nil {
			return nil, err
		}
	}
	if s.made > 0 { // the batch may commit: the files must be found then
		if err := s.fs.SyncDir(s.s.Dir); err != nil {
			return nil, fmt.Errorf("file: stage: %w", err)
		}
	}
	return nil, io.EOF
}

// divide writes the rows of b to the files of their directories.
func (s *stager) divide(b *column.Batch) error {
	if s.by == nil {
		return s.write("", b)
	}
	return s.by.each(b, s.write)
}

// write appends rows to the file of a directory, which is opened with its first rows.
func (s *stager) write(dir string, b *column.Batch) error {
	f := s.files[dir]
	if f == nil {
		var err error
		if f, err = s.create(dir); err != nil {
			return err
		}
	}
	f.tok.Rows += int64(b.N)
	if err := f.w.write(b); err != nil {
		return fmt.Errorf("file: stage %s: %w", f.tok.Staged, err)
	}
	return nil
}

func (s *stager) create(dir string) (*stagedFile, error) {
	if len(s.order) == maxOpen {
		if err := s.finish(s.order[0]); err != nil {
			return nil, err
		}
	}
	bind, ext := s.tc.Binding, s.s.Options.extension(s.s.Format)
	write, number := bind.Params[writeParam], ""
	if s.made > 0 {
		number = fmt.Sprintf("-c%03d", s.made)
	}
	s.made++
	f := &stagedFile{}
	f.tok.Staged = fmt.Sprintf("%s%d-%d-%d%s%s", stagedPrefix(write, bind.Batch), bind.Epoch, s.tc.Partition, s.tc.Attempt, number, ext)
	f.tok.Name = filepath.Join(dir, fmt.Sprintf("part-%05d-%s-%d%s%s", s.tc.Partition, write, bind.Batch, number, ext))
	var err error
	if f.f, err = s.fs.Create(filepath.Join(s.s.Dir, f.tok.Staged)); err != nil {
		return nil, fmt.Errorf("file: stage: %w", err)
	}
	s.files[dir], s.order = f, append(s.order, dir)
	f.buf = bufio.NewWriterSize(f, s.bufferSize())
	f.w, err = formats[s.s.Format].writer(f.buf, s.data, s.s.Options)
	return f, err
}

func (s *stager) bufferSize() int {
	if s.by != nil {
		return 32 << 10
	}
	return 256 << 10
}

// finish ends and reports the file of a directory.
func (s *stager) finish(dir string) error {
	f := s.files[dir]
	delete(s.files, dir)
	s.order = slices.DeleteFunc(s.order, func(d string) bool { return d == dir })
	if err := f.finish(); err != nil {
		return fmt.Errorf("file: stage %s: %w", f.tok.Staged, err)
	}
	tok, err := json.Marshal(f.tok)
	if err == nil {
		s.tc.Report(s.op, connector.TokenKey, tok)
	}
	return err
}

// Write appends to the file.
func (f *stagedFile) Write(b []byte) (int, error) {
	n, err := f.f.WriteAt(b, f.end)
	f.end += int64(n)
	return n, err
}

func (f *stagedFile) finish() error {
	err := f.w.close()
	if err == nil {
		err = f.buf.Flush()
	}
	if err == nil {
		err = f.f.Sync()
	}
	f.tok.Bytes = f.end
	return errors.Join(err, f.f.Close())
}

// Close ends unfinished files; Abort removes them.
func (s *stager) Close() error {
	err := s.in.Close()
	for _, f := range s.files {
		err = errors.Join(err, f.f.Close())
	}
	s.files, s.order = nil, nil
	return err
}
