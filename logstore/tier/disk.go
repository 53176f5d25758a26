package tier

import (
	"container/list"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"hash/crc32"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/zeebo/xxh3"
)

// diskCache keeps blocks as files, the least recently used goes first. It begins empty: what a file holds is only trusted
// while the process that wrote it runs, and each is checked by its CRC32C when it is read.
type diskCache struct {
	dir   string
	limit int64

	mu    sync.Mutex
	items map[string]*list.Element // of *diskItem
	used  list.List
	bytes int64
}

type diskItem struct {
	name string
	size int64
}

// newDiskCache empties the directory. A limit of 0 is no cache: nil.
func newDiskCache(dir string, limit int64) (*diskCache, error) {
	if err := os.RemoveAll(dir); err != nil {
		return nil, err
	}
	if limit <= 0 {
		return nil, nil
	}
	return &diskCache{dir: dir, limit: limit, items: map[string]*list.Element{}}, os.MkdirAll(dir, 0o755)
}

func diskName(k cacheKey) string {
	h := xxh3.HashString128(k.object + "#" + strconv.Itoa(k.block)).Bytes()
	return hex.EncodeToString(h[:])
}

// get reads a block; nil when it is not there or damaged.
func (d *diskCache) get(k cacheKey) []byte {
	if d == nil {
		return nil
	}
	name := diskName(k)
	d.mu.Lock()
	e := d.items[name]
	if e != nil {
		d.used.MoveToFront(e)
	}
	d.mu.Unlock()
	if e == nil {
		return nil
	}
	b, err := os.ReadFile(filepath.Join(d.dir, name))
	if err == nil && len(b) >= 4 {
		n := len(b) - 4
		if crc32.Checksum(b[:n], castagnoli) == binary.LittleEndian.Uint32(b[n:]) {
			return b[:n:n]
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if e := d.items[name]; e != nil {
		d.drop(e)
	}
	return nil
}

// put keeps a block. What goes wrong is the cache's own matter: the block is still in the store.
func (d *diskCache) put(k cacheKey, b []byte) {
	size := int64(len(b)) + 4
	if d == nil || size > d.limit {
		return
	}
	name := diskName(k)
	sum := binary.LittleEndian.AppendUint32(nil, crc32.Checksum(b, castagnoli))
	if err := writeParts(filepath.Join(d.dir, name), b, sum); err != nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.items[name] != nil {
		return
	}
	d.items[name] = d.used.PushFront(&diskItem{name, size})
	d.bytes += size
	for d.bytes > d.limit && d.used.Len() > 1 {
		d.drop(d.used.Back())
	}
}

func writeParts(name string, parts ...[]byte) (err error) {
	f, err := os.Create(name + partial)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err == nil {
			_, err = f.Write(p)
		}
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(name+partial))
	}
	return os.Rename(name+partial, name)
}

// drop removes an item and its file. d.mu is held.
func (d *diskCache) drop(e *list.Element) {
	old := d.used.Remove(e).(*diskItem)
	delete(d.items, old.name)
	d.bytes -= old.size
	_ = os.Remove(filepath.Join(d.dir, old.name)) // a file too many does no harm
}
