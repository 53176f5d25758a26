package shuffle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"

	"github.com/streamflow/streamflow/column"
)

// ErrLost says that a map output is not there or not whole.
var ErrLost = errors.New("shuffle: map output lost")

// Key names the output of one attempt of a map task.
type Key struct {
	Job     string
	Shuffle string
	Map     int
	Attempt int
}

func (k Key) String() string { return fmt.Sprintf("%s/%s/%d#%d", k.Job, k.Shuffle, k.Map, k.Attempt) }

// Memory is what rows kept in memory are reserved from. Reserve returns false when they should go to files.
type Memory interface {
	Reserve(bytes int64) bool
	Release(bytes int64)
}

// Reader yields batches until io.EOF; a batch is valid until the next call.
type Reader interface {
	Next() (*column.Batch, error)
	Close() error
}

// Fetcher opens a share of a map output wherever it is. A Store fetches what is in it.
type Fetcher interface {
	Fetch(k Key, parts Span, schema *column.Schema) (Reader, error)
}

// Span is a range of target partitions: those from First up to, but without, End.
type Span struct{ First, End int }

// One is the span of a single partition.
func One(part int) Span { return Span{part, part + 1} }

// Store holds the map outputs of one executor.
type Store struct {
	dir    string
	memory Memory

	mu   sync.Mutex
	jobs map[string]map[Key]*output
	free map[*column.Schema][]*collector // emptied, to be used again
	kept int64                           // bytes of their memory
}

// maxFree bounds the schemas for which collectors are kept, maxKept the memory of all of them: nobody has reserved it.
const (
	maxFree = 64
	maxKept = 8 << 20
)

// Open returns an empty store whose files go below dir; files that an earlier process left there are removed. Memory
// outputs are reserved from memory.
func Open(dir string, memory Memory) (*Store, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, fmt.Errorf("shuffle: clear %s: %w", dir, err)
	}
	return &Store{dir: dir, memory: memory, jobs: map[string]map[Key]*output{}, free: map[*column.Schema][]*collector{}}, nil
}

// output is a committed map output: collectors in memory, blocks in a file, or both. refs counts the store and open
// readers; what the output holds is given back when it falls to 0.
type output struct {
	key    Key
	parts  [][]*collector // by target partition
	file   *file          // nil when nothing was spilled
	bytes  int64          // reserved
	refs   int
	schema *column.Schema
}

func (s *Store) publish(o *output) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o.refs = 1
	job := s.jobs[o.key.Job]
	if job == nil {
		job = map[Key]*output{}
		s.jobs[o.key.Job] = job
	}
	if old := job[o.key]; old != nil {
		s.unref(old)
	}
	job[o.key] = o
}

// Fetch opens partitions of a local output, one after the other.
func (s *Store) Fetch(k Key, parts Span, schema *column.Schema) (Reader, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.jobs[k.Job][k]
	if o == nil {
		return nil, fmt.Errorf("%w: %s is not here", ErrLost, k)
	}
	if parts.First < 0 || parts.First >= parts.End || parts.End > len(o.parts) {
		return nil, fmt.Errorf("shuffle: %s has %d partitions, not %d to %d", k, len(o.parts), parts.First, parts.End)
	}
	o.refs++
	return &reader{store: s, out: o, part: parts.First, end: parts.End, schema: schema}, nil
}

// Drop removes one output, as when it was found to be damaged.
func (s *Store) Drop(k Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o := s.jobs[k.Job][k]; o != nil {
		delete(s.jobs[k.Job], k)
		s.unref(o)
	}
}

// DropJob removes all outputs of a job. Readers that are open finish undisturbed.
func (s *Store) DropJob(job string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range s.jobs[job] {
		s.unref(o)
	}
	delete(s.jobs, job)
}

// Close removes everything.
func (s *Store) Close() error {
	s.mu.Lock()
	jobs := s.jobs
	s.jobs = map[string]map[Key]*output{}
	for _, job := range jobs {
		for _, o := range job {
			s.unref(o)
		}
	}
	s.mu.Unlock()
	return os.RemoveAll(s.dir)
}

// Len is the number of outputs held.
func (s *Store) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, job := range s.jobs {
		n += len(job)
	}
	return n
}

// unref is called with s.mu held.
func (s *Store) unref(o *output) {
	if o.refs--; o.refs > 0 {
		return
	}
	s.release(o)
	if o.file != nil {
		o.file.remove()
	}
}

// giveBack empties the memory part of an output.
func (s *Store) giveBack(o *output) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.release(o)
}

// release is called with s.mu held.
func (s *Store) release(o *output) {
	for p, cs := range o.parts {
		for _, c := range cs {
			s.recycle(c)
		}
		o.parts[p] = nil
	}
	s.memory.Release(o.bytes)
	o.bytes = 0
}

// recycle is called with s.mu held.
func (s *Store) recycle(c *collector) {
	if len(s.free) > maxFree {
		clear(s.free)
		s.kept = 0
	}
	size := c.size()
	if size > maxKept/4 || s.kept+size > maxKept {
		return // a large one would hold its memory for small batches
	}
	s.kept += size
	c.kept = size
	c.reset()
	s.free[c.batch.Schema] = append(s.free[c.batch.Schema], c)
}

func (s *Store) collector(schema *column.Schema) *collector {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.free[schema]
	if len(list) == 0 {
		return newCollector(schema)
	}
	c := list[len(list)-1]
	s.free[schema] = list[:len(list)-1]
	s.kept -= c.kept
	return c
}

func (s *Store) path(k Key) string {
	return filepath.Join(s.dir, safe(k.Job), safe(k.Shuffle), fmt.Sprintf("%d-%d", k.Map, k.Attempt))
}

// safe makes a file name of an id.
func safe(id string) string {
	b := []byte(id)
	for i, c := range b {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.' && i > 0 {
			continue
		}
		b[i] = '_'
	}
	return string(b)
}
