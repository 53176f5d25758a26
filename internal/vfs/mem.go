package vfs

import (
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"path"
	"sort"
	"strings"
	"sync"
	"syscall"
)

// page is the unit in which a crash keeps or drops unsynced bytes.
const page = 512

// Mem is a file system in memory that knows what would survive a crash. The zero value is not ready; see NewMem.
type Mem struct {
	mu       sync.Mutex
	now      map[string]*memNode // every name, as a running program sees it
	durable  map[string]*memNode // every name, as a crash would leave it
	locks    map[string]bool
	capacity int64 // bytes; 0: no limit
}

// memNode is a file, or a directory when dir is set. Names point to nodes, as in any Unix.
type memNode struct {
	dir    bool
	data   []byte
	synced []byte
	dirty  map[int64]struct{} // pages of data that differ from synced
}

// NewMem returns an empty file system.
func NewMem() *Mem {
	root := &memNode{dir: true}
	return &Mem{now: map[string]*memNode{".": root, "/": root}, durable: map[string]*memNode{".": root, "/": root}, locks: map[string]bool{}}
}

// SetCapacity makes writes fail with ENOSPC when files would take more than n bytes in all. 0 lifts the limit.
func (m *Mem) SetCapacity(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity = n
}

// Used is the bytes that files take.
func (m *Mem) Used() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.used()
}

func (m *Mem) used() (n int64) {
	for _, f := range m.now {
		n += int64(len(f.data))
	}
	return n
}

func (m *Mem) room(grow int64) error {
	if m.capacity > 0 && grow > 0 && m.used()+grow > m.capacity {
		return syscall.ENOSPC
	}
	return nil
}

// Crash returns what the disk may hold if power went now. With r nil that is exactly what was synced; else each unsynced
// page, and each directory's unsynced names, is kept or dropped at random.
func (m *Mem) Crash(r *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	out := NewMem()
	keepNew := map[string]bool{}
	for _, name := range sortedNames(m.now, m.durable) {
		dir := path.Dir(name)
		if _, seen := keepNew[dir]; !seen {
			keepNew[dir] = r != nil && r.IntN(2) == 0
		}
		node := m.durable[name]
		if keepNew[dir] {
			node = m.now[name]
		}
		if node == nil || out.now[dir] == nil {
			continue // never made, or its directory was not
		}
		c := node.crash(r)
		out.now[name], out.durable[name] = c, c
	}
	return out
}

func sortedNames(maps ...map[string]*memNode) []string {
	var names []string
	seen := map[string]bool{".": true, "/": true}
	for _, m := range maps {
		for name := range m {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	sort.Strings(names) // parents before children
	return names
}

func (f *memNode) crash(r *rand.Rand) *memNode {
	out := &memNode{dir: f.dir, data: append([]byte(nil), f.synced...), dirty: map[int64]struct{}{}}
	if r != nil {
		for _, p := range f.sortedDirty() {
			if r.IntN(2) == 0 {
				out.copyPage(f.data, p)
			}
		}
	}
	out.synced = append([]byte(nil), out.data...)
	return out
}

func (f *memNode) sortedDirty() []int64 {
	pages := make([]int64, 0, len(f.dirty))
	for p := range f.dirty {
		pages = append(pages, p)
	}
	sort.Slice(pages, func(i, j int) bool { return pages[i] < pages[j] })
	return pages
}

// copyPage takes page p of data, growing f.data to reach it.
func (f *memNode) copyPage(data []byte, p int64) {
	from, to := p*page, min((p+1)*page, int64(len(data)))
	if from >= to {
		return
	}
	f.data = grow(f.data, to)
	copy(f.data[from:to], data[from:to])
}

func grow(b []byte, n int64) []byte {
	if n <= int64(len(b)) {
		return b
	}
	return append(b, make([]byte, n-int64(len(b)))...)
}

func (m *Mem) Create(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if err := m.parent(name); err != nil {
		return nil, err
	}
	f := m.now[name]
	if f == nil {
		f = &memNode{dirty: map[int64]struct{}{}}
		m.now[name] = f
	}
	f.resize(0)
	return &memFile{m: m, f: f, name: name}, nil
}

func (m *Mem) parent(name string) error {
	if d := m.now[path.Dir(name)]; d == nil || !d.dir {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrNotExist}
	}
	return nil
}

func (m *Mem) Open(name string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.now[path.Clean(name)]
	if f == nil || f.dir {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memFile{m: m, f: f, name: name}, nil
}

func (m *Mem) Remove(name string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	name = path.Clean(name)
	if m.now[name] == nil {
		return &fs.PathError{Op: "remove", Path: name, Err: fs.ErrNotExist}
	}
	delete(m.now, name)
	return nil
}

func (m *Mem) RemoveAll(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = path.Clean(dir)
	for name := range m.now {
		if name == dir || strings.HasPrefix(name, dir+"/") {
			delete(m.now, name)
		}
	}
	return nil
}

func (m *Mem) Rename(from, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	from, to = path.Clean(from), path.Clean(to)
	f := m.now[from]
	if f == nil || f.dir {
		return &fs.PathError{Op: "rename", Path: from, Err: fs.ErrNotExist}
	}
	if err := m.parent(to); err != nil {
		return err
	}
	delete(m.now, from)
	m.now[to] = f
	return nil
}

func (m *Mem) MkdirAll(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for d := path.Clean(dir); m.now[d] == nil; d = path.Dir(d) {
		m.now[d] = &memNode{dir: true}
	}
	return nil
}

func (m *Mem) ReadDir(dir string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = path.Clean(dir)
	var names []string
	for name := range m.now {
		if path.Dir(name) == dir && name != dir {
			names = append(names, path.Base(name))
		}
	}
	sort.Strings(names)
	return names, nil
}

func (m *Mem) IsDir(name string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.now[path.Clean(name)]
	return f != nil && f.dir, nil
}

func (m *Mem) SyncDir(dir string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	dir = path.Clean(dir)
	for _, name := range sortedNames(m.now, m.durable) {
		if path.Dir(name) != dir {
			continue
		}
		if f := m.now[name]; f != nil {
			m.durable[name] = f
		} else {
			delete(m.durable, name)
		}
	}
	return nil
}

func (m *Mem) Lock(name string) (io.Closer, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.locks[name] {
		return nil, fmt.Errorf("%w: %s", ErrLocked, name)
	}
	m.locks[name] = true
	return unlock(func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		delete(m.locks, name)
	}), nil
}

type unlock func()

func (u unlock) Close() error { u(); return nil }
