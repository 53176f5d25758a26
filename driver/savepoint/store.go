package savepoint

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"github.com/streamflow/streamflow/logstore/tier"
)

// Store keeps savepoints of a node's queries. Its methods are safe for concurrent use; what creates and what deletes takes
// turns, so that no chunk goes that a savepoint in the making has found.
type Store struct {
	objects tier.Store
	mu      sync.Mutex
}

// New returns the savepoints in an object store.
func New(objects tier.Store) *Store { return &Store{objects: objects} }

const (
	suffix = ".savepoint"
	chunks = "/chunks/"
)

// escape makes a name of letters, digits, '-' and '.': what else there is becomes '_' and its code.
func escape(name string) string {
	var b strings.Builder
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '.' && b.Len() > 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "_%02x", c)
		}
	}
	return b.String()
}

func manifestKey(query, name string) string { return escape(query) + "/" + escape(name) + suffix }
func chunkKey(query, sum string) string     { return escape(query) + chunks + sum }

// Written is what creating a savepoint wrote, of what it consists of.
type Written struct {
	Rows, Bytes       int64
	NewBytes          int64
	Chunks, NewChunks int
}

// ErrExists says that there is a savepoint of the name already.
var ErrExists = errors.New("savepoint: there is one of that name")

// Create writes a savepoint. m has all but its operators; fill calls put for each operator, whose entries
// come in an order that is the same each time.
func (s *Store) Create(ctx context.Context, m *Manifest, fill func(put func(op string, ttl bool, scan func(visit func(*Entry) error) error) error) error) (Written, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var w Written
	if _, err := s.read(ctx, manifestKey(m.Query, m.Name)); !errors.Is(err, tier.ErrNotFound) {
		if err == nil {
			err = ErrExists
		}
		return w, err
	}
	there, err := s.chunksOf(ctx, m.Query)
	if err != nil {
		return w, err
	}
	err = fill(func(op string, ttl bool, scan func(func(*Entry) error) error) error {
		c := chunker{store: s, query: m.Query, there: there, written: &w, op: Op{Op: op, TTL: ttl, Chunks: []Chunk{}}}
		if err := scan(func(e *Entry) error { return c.add(ctx, e) }); err != nil {
			return err
		}
		if err := c.cut(ctx); err != nil {
			return err
		}
		m.Ops = append(m.Ops, c.op)
		return nil
	})
	if err != nil {
		return w, err
	}
	b, err := m.encode()
	if err != nil {
		return w, err
	}
	return w, s.put(ctx, manifestKey(m.Query, m.Name), b)
}

// chunker cuts an operator's entries into chunks and puts those that are not there.
type chunker struct {
	store   *Store
	query   string
	there   map[string]bool
	written *Written
	op      Op
	cur     Chunk
	buf     []byte
}

func (c *chunker) add(ctx context.Context, e *Entry) error {
	if c.cur.Rows == 0 {
		c.cur.From, c.cur.To = e.Group, e.Group
	}
	c.cur.From, c.cur.To = min(c.cur.From, e.Group), max(c.cur.To, e.Group)
	c.cur.Rows++
	c.buf = appendEntry(c.buf, e)
	if ends(len(c.buf), e) {
		return c.cut(ctx)
	}
	return nil
}

func (c *chunker) cut(ctx context.Context) error {
	if c.cur.Rows == 0 {
		return nil
	}
	c.buf = seal(c.buf)
	sum := sha256.Sum256(c.buf)
	c.cur.Sum, c.cur.Bytes = hex.EncodeToString(sum[:]), int64(len(c.buf))
	w := c.written
	w.Rows, w.Bytes, w.Chunks = w.Rows+c.cur.Rows, w.Bytes+c.cur.Bytes, w.Chunks+1
	if !c.there[c.cur.Sum] {
		if err := c.store.put(ctx, chunkKey(c.query, c.cur.Sum), c.buf); err != nil {
			return err
		}
		c.there[c.cur.Sum] = true
		w.NewBytes, w.NewChunks = w.NewBytes+c.cur.Bytes, w.NewChunks+1
	}
	c.op.Chunks = append(c.op.Chunks, c.cur)
	c.cur, c.buf = Chunk{}, c.buf[:0]
	return nil
}

func (s *Store) put(ctx context.Context, key string, b []byte) error {
	return s.objects.Put(ctx, key, tier.Body{ReaderAt: bytes.NewReader(b), Size: int64(len(b)), CRC: crc32.Checksum(b, castagnoli)})
}

// read gets a whole object.
func (s *Store) read(ctx context.Context, key string) ([]byte, error) {
	list, err := s.objects.List(ctx, key)
	if err != nil {
		return nil, err
	}
	for _, i := range list {
		if i.Key == key {
			return s.objects.Get(ctx, key, 0, i.Size)
		}
	}
	return nil, fmt.Errorf("savepoint: %s: %w", key, tier.ErrNotFound)
}

// chunksOf are the chunks of a query that are there, by sum.
func (s *Store) chunksOf(ctx context.Context, query string) (map[string]bool, error) {
	list, err := s.objects.List(ctx, escape(query)+chunks)
	out := map[string]bool{}
	for _, i := range list {
		out[i.Key[strings.LastIndexByte(i.Key, '/')+1:]] = true
	}
	return out, err
}

// List are the savepoints of a query, oldest first; of all queries when query is "".
func (s *Store) List(ctx context.Context, query string) ([]*Manifest, error) {
	prefix := ""
	if query != "" {
		prefix = escape(query) + "/"
	}
	list, err := s.objects.List(ctx, prefix)
	if err != nil {
		return nil, err
	}
	var out []*Manifest
	for _, i := range list {
		if !strings.HasSuffix(i.Key, suffix) {
			continue
		}
		b, err := s.objects.Get(ctx, i.Key, 0, i.Size)
		if err != nil {
			return nil, err
		}
		m, err := decodeManifest(b)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", i.Key, err)
		}
		out = append(out, m)
	}
	slices.SortStableFunc(out, func(a, b *Manifest) int { return a.Created.Compare(b.Created) })
	return out, nil
}

// Open reads a savepoint's manifest; the error is tier.ErrNotFound, wrapped, when there is none.
func (s *Store) Open(ctx context.Context, query, name string) (*Manifest, error) {
	b, err := s.read(ctx, manifestKey(query, name))
	if err != nil {
		return nil, err
	}
	return decodeManifest(b)
}

// Scan visits the entries of an operator in the key groups [from, to), chunk by chunk. A chunk whose content is not what its
// name says is an error.
func (s *Store) Scan(ctx context.Context, m *Manifest, op string, from, to int, visit func(*Entry) error) error {
	for i := range m.Ops {
		if m.Ops[i].Op != op {
			continue
		}
		for _, c := range m.Ops[i].Chunks {
			if c.To < from || c.From >= to {
				continue
			}
			if err := s.scanChunk(ctx, m.Query, c, from, to, visit); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) scanChunk(ctx context.Context, query string, c Chunk, from, to int, visit func(*Entry) error) error {
	b, err := s.objects.Get(ctx, chunkKey(query, c.Sum), 0, c.Bytes)
	if err != nil {
		return err
	}
	if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != c.Sum {
		return fmt.Errorf("%w: %s", errChunk, c.Sum)
	}
	return decodeChunk(b, func(e *Entry) error {
		if e.Group < from || e.Group >= to {
			return nil
		}
		return visit(e)
	})
}

// Delete removes a savepoint, and the chunks that no other one of the query has.
func (s *Store) Delete(ctx context.Context, query, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, err := s.read(ctx, manifestKey(query, name)); err != nil {
		return err
	}
	if err := s.objects.Delete(ctx, manifestKey(query, name)); err != nil {
		return err
	}
	return s.sweep(ctx, query)
}

// sweep removes the chunks that no savepoint of the query names.
func (s *Store) sweep(ctx context.Context, query string) error {
	list, err := s.List(ctx, query)
	if err != nil {
		return err
	}
	there, err := s.chunksOf(ctx, query)
	if err != nil {
		return err
	}
	for _, m := range list {
		for _, op := range m.Ops {
			for _, c := range op.Chunks {
				delete(there, c.Sum)
			}
		}
	}
	for sum := range there {
		if err := s.objects.Delete(ctx, chunkKey(query, sum)); err != nil {
			return err
		}
	}
	return nil
}

// Prune deletes the oldest savepoints of a query whose name begins with prefix, so that keep of them stay.
func (s *Store) Prune(ctx context.Context, query, prefix string, keep int) error {
	list, err := s.List(ctx, query)
	if err != nil {
		return err
	}
	var names []string
	for _, m := range list {
		if strings.HasPrefix(m.Name, prefix) {
			names = append(names, m.Name)
		}
	}
	for len(names) > keep {
		if err := s.Delete(ctx, query, names[0]); err != nil {
			return err
		}
		names = names[1:]
	}
	return nil
}
