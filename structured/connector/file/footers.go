package file

import (
	"os"
	"sync"

	"github.com/streamflow/streamflow/column/parquet"
)

// footers keeps what Parquet files say of themselves: a query opens a file when it is planned and once for each row group,
// and a footer lists all columns of all row groups.
var footers = footerCache{limit: 8 << 20}

// footerCache forgets the footers that were kept first when there are too many. Invariant: bytes is the sum of the footers'
// sizes; order holds the keys of kept, oldest first.
type footerCache struct {
	mu    sync.Mutex
	limit int64
	bytes int64
	kept  map[string]keptFooter
	order []string
}

// keptFooter is the footer of the file that info describes. A file with its path that is another, or has changed, has
// another inode, size or time.
type keptFooter struct {
	info   os.FileInfo
	footer *parquet.Footer
	stats  *chunkStats // what the footer and some dictionaries tell; nil until it is asked for
}

func (k keptFooter) of(info os.FileInfo) bool {
	return k.info != nil && os.SameFile(k.info, info) && k.info.Size() == info.Size() && k.info.ModTime().Equal(info.ModTime())
}

// open opens f, whose state is info, without reading the footer when it is known.
func (c *footerCache) open(f *os.File, info os.FileInfo) (*parquet.File, error) {
	c.mu.Lock()
	have := c.kept[f.Name()]
	c.mu.Unlock()
	if have.of(info) {
		return parquet.OpenWith(f, info.Size(), have.footer)
	}
	p, err := parquet.Open(f, info.Size())
	if err != nil {
		return nil, err
	}
	c.keep(f.Name(), keptFooter{info: info, footer: p.Footer})
	return p, nil
}

func (c *footerCache) keep(path string, k keptFooter) {
	if k.footer.Bytes() > c.limit/4 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, ok := c.kept[path]; ok {
		c.bytes += k.footer.Bytes() - old.footer.Bytes()
		c.kept[path] = k
		return
	}
	if c.kept == nil {
		c.kept = map[string]keptFooter{}
	}
	c.kept[path] = k
	c.order = append(c.order, path)
	for c.bytes += k.footer.Bytes(); c.bytes > c.limit; c.order = c.order[1:] {
		c.bytes -= c.kept[c.order[0]].footer.Bytes()
		delete(c.kept, c.order[0])
	}
}

// statistics are what the file at path, whose state is info, said of itself, nil when that is not known.
func (c *footerCache) statistics(path string, info os.FileInfo) *chunkStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.kept[path]; have.of(info) {
		return have.stats
	}
	return nil
}

// keepStatistics remembers them as long as the footer is kept.
func (c *footerCache) keepStatistics(path string, info os.FileInfo, s *chunkStats) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.kept[path]; have.of(info) {
		have.stats = s
		c.kept[path] = have
	}
}
