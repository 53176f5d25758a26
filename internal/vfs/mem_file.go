package vfs

import (
	"io"
)

// memFile is an open handle on a node.
type memFile struct {
	m    *Mem
	f    *memNode
	name string
}

func (h *memFile) ReadAt(b []byte, at int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if at >= int64(len(h.f.data)) {
		return 0, io.EOF
	}
	n := copy(b, h.f.data[at:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

func (h *memFile) WriteAt(b []byte, at int64) (int, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	end := at + int64(len(b))
	if err := h.m.room(end - int64(len(h.f.data))); err != nil {
		return 0, err
	}
	h.f.markDirty(min(at, int64(len(h.f.data))), end)
	h.f.data = grow(h.f.data, end)
	copy(h.f.data[at:], b)
	return len(b), nil
}

func (h *memFile) Size() (int64, error) {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	return int64(len(h.f.data)), nil
}

func (h *memFile) Truncate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	h.f.resize(size)
	return nil
}

func (h *memFile) Allocate(size int64) error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	if err := h.m.room(size - int64(len(h.f.data))); err != nil {
		return err
	}
	if size > int64(len(h.f.data)) {
		h.f.resize(size)
	}
	return nil
}

func (h *memFile) Sync() error {
	h.m.mu.Lock()
	defer h.m.mu.Unlock()
	f := h.f
	if len(f.synced) > len(f.data) {
		f.synced = f.synced[:len(f.data)]
	}
	f.synced = grow(f.synced, int64(len(f.data)))
	for p := range f.dirty {
		if from := p * page; from < int64(len(f.data)) {
			copy(f.synced[from:], f.data[from:min(from+page, int64(len(f.data)))])
		}
	}
	clear(f.dirty)
	return nil
}

func (h *memFile) Close() error { return nil }

func (f *memNode) resize(size int64) {
	if f.dirty == nil {
		f.dirty = map[int64]struct{}{}
	}
	if size < int64(len(f.data)) {
		f.data = f.data[:size:size]
		f.markDirty(size, int64(len(f.synced)))
		return
	}
	f.markDirty(int64(len(f.data)), size)
	f.data = grow(f.data, size)
}

func (f *memNode) markDirty(from, to int64) {
	for p := from / page; p*page < to; p++ {
		f.dirty[p] = struct{}{}
	}
}
