package tier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/internal/clock"
	"github.com/streamflow/streamflow/logstore"
)

// Options configures a Tier. The zero value of every field but Store and Dir is its default.
type Options struct {
	Store Store
	// Dir is this node's own directory: copies of manifests, deletions to finish, the disk cache, objects being made.
	Dir         string
	Interval    time.Duration // between two looks at each partition; 10 s, negative: only Round
	Workers     int           // partitions looked at, and requests of readers, at once; 4
	CacheMemory int64         // of what was read; 64 MiB
	CacheDisk   int64         // 0: none
	Clock       clock.Clock
	Logger      *slog.Logger
}

func (o *Options) defaults() {
	if o.Interval == 0 {
		o.Interval = 10 * time.Second
	}
	if o.Workers <= 0 {
		o.Workers = 4
	}
	if o.CacheMemory <= 0 {
		o.CacheMemory = 64 << 20
	}
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
}

// Tier is a node's use of the object store.
type Tier struct {
	o      Options
	cache  *cache
	disk   *diskCache
	ctx    context.Context // of everything that goes on
	cancel context.CancelFunc
	reads  sync.WaitGroup
	done   chan struct{}

	mu    sync.Mutex
	parts map[partitionID]*Partition
	list  func() []Attachment
}

// Open makes a tier and starts its work in the background.
func Open(o Options) (*Tier, error) {
	o.defaults()
	t := &Tier{o: o, parts: map[partitionID]*Partition{}, done: make(chan struct{})}
	t.ctx, t.cancel = context.WithCancel(context.Background())
	t.cache = newCache(t.ctx, o.CacheMemory, o.Workers)
	err := t.prepare()
	if err == nil {
		t.disk, err = newDiskCache(filepath.Join(o.Dir, "cache"), o.CacheDisk)
	}
	if err != nil {
		t.cancel()
		return nil, fmt.Errorf("tier: %w", err)
	}
	go t.background()
	return t, nil
}

// Close ends the work; what was under way is done again after the next Open.
func (t *Tier) Close() error {
	t.cancel()
	<-t.done
	t.reads.Wait()
	t.cache.close()
	return nil
}

func (t *Tier) background() {
	defer close(t.done)
	if t.o.Interval < 0 {
		return
	}
	for {
		c, stop := t.o.Clock.After(t.o.Interval)
		select {
		case <-c:
		case <-t.ctx.Done():
			stop()
			return
		}
		if err := t.Round(t.ctx); err != nil && t.ctx.Err() == nil {
			t.o.Logger.Warn("cold tier: it is tried again", "err", err)
		}
	}
}

// Attachment is a partition that the tier serves.
type Attachment struct {
	Partition *logstore.Partition
	Topic     Topic
}

// Serve makes the tier serve the partitions that list names: those of now at once, those of later from the next round on.
func (t *Tier) Serve(list func() []Attachment) {
	t.mu.Lock()
	t.list = list
	t.mu.Unlock()
	t.sync()
}

// sync attaches the partitions that there are now, and lets others go.
func (t *Tier) sync() {
	t.mu.Lock()
	list := t.list
	t.mu.Unlock()
	if list == nil {
		return
	}
	keep := map[*Partition]bool{}
	for _, a := range list() {
		keep[t.Attach(a.Partition, a.Topic)] = true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for id, p := range t.parts {
		if !keep[p] {
			delete(t.parts, id)
		}
	}
}

// Round looks at every partition once.
func (t *Tier) Round(ctx context.Context) error {
	t.sync()
	list := t.Partitions()
	errs := make([]error, len(list)+1)
	slots := make(chan struct{}, t.o.Workers)
	var wg sync.WaitGroup
	for i, p := range list {
		slots <- struct{}{}
		wg.Go(func() {
			errs[i] = p.round(ctx)
			<-slots
		})
	}
	wg.Wait()
	errs[len(list)] = t.collect(ctx)
	return errors.Join(errs...)
}

// Partitions lists what the tier serves.
func (t *Tier) Partitions() []*Partition {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*Partition, 0, len(t.parts))
	for _, p := range t.parts {
		list = append(list, p)
	}
	return list
}

// Attach gives a partition its part in the tier, and tells it what lies there as far as this node knows. The next round asks
// the store.
func (t *Tier) Attach(log *logstore.Partition, topic Topic) *Partition {
	id := partitionID{topic.ID, log.ID().Partition}
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.parts[id]; p != nil && p.log == log {
		p.setTopic(topic)
		return p
	}
	p := &Partition{t: t, id: id, name: topic.Name, topic: topic, log: log, ledger: newLedger(t.o.Store, id)}
	if m := t.kept(id); m != nil {
		p.ledger.current = m
		p.show(m)
		log.SetCold(p)
	}
	t.parts[id] = p
	return p
}

// setTopic takes a topic's new configuration over.
func (p *Partition) setTopic(topic Topic) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.topic = topic
}

func (p *Partition) settings() Topic {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.topic
}

// Partition is a partition that was attached, or nil.
func (t *Tier) Partition(topic uuid.UUID, partition int32) *Partition {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.parts[partitionID{topic, partition}]
}

// object is an object's end, from memory or being read.
func (t *Tier) object(e Entry) (*object, *flight) {
	v, f := t.cache.get(cacheKey{e.Key, -1}, t.opener(e))
	o, _ := v.(*object)
	return o, f
}

func (t *Tier) waitObject(ctx context.Context, e Entry) (*object, error) {
	v, err := t.cache.wait(ctx, cacheKey{e.Key, -1}, t.opener(e))
	o, _ := v.(*object)
	return o, err
}

func (t *Tier) opener(e Entry) func(context.Context) (any, int64, error) {
	return func(ctx context.Context) (any, int64, error) {
		o, err := openObject(ctx, t.o.Store, e)
		if err != nil {
			return nil, 0, err
		}
		return o, o.memory(), nil
	}
}

// block is a block's batches, from memory or being read.
func (t *Tier) block(o *object, i int) ([]byte, *flight) {
	v, f := t.cache.get(cacheKey{o.entry.Key, i}, t.loader(o, i))
	b, _ := v.([]byte)
	return b, f
}

func (t *Tier) waitBlock(ctx context.Context, o *object, i int) ([]byte, error) {
	v, err := t.cache.wait(ctx, cacheKey{o.entry.Key, i}, t.loader(o, i))
	b, _ := v.([]byte)
	return b, err
}

func (t *Tier) loader(o *object, i int) func(context.Context) (any, int64, error) {
	return func(ctx context.Context) (any, int64, error) {
		k := cacheKey{o.entry.Key, i}
		if b := t.disk.get(k); b != nil {
			return b, int64(len(b)), nil
		}
		b, err := o.load(ctx, i)
		if err != nil {
			return nil, 0, err
		}
		t.disk.put(k, b)
		return b, int64(len(b)), nil
	}
}

// forget drops what is cached of an object that was deleted.
func (t *Tier) forget(key string) { t.cache.forget(key) }

func (t *Tier) spool() string { return filepath.Join(t.o.Dir, "spool") }
