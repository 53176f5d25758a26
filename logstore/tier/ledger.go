package tier

import (
	"context"
	"errors"
	"fmt"
	"path"
)

// ErrFenced is what a leader gets that another one has followed: its manifests no longer count.
var ErrFenced = errors.New("tier: another leader has taken the partition over")

// ledger is a partition's manifests in the store. Each change is a new object with a greater version; the greatest one
// holds. No two writers have one epoch.
//
// Why a deposed leader cannot delete what its successor's manifest points to: the old one writes its manifest, then lists,
// and only then deletes; the new one writes its claim, then lists. Whichever list comes second sees the other's write:
//
//	old: put(e3,8 without X)  list: nobody above e3  delete X
//	new:                 load(e3,7 with X)  put(e4,8 with X)  list: finds (e3,8), takes that one and claims again
//
// and if the old one's list comes after the claim, it finds e4 and stops.
type ledger struct {
	store   Store
	id      partitionID
	current *Manifest // what the store has, as far as this node knows; never nil
	claimed bool      // current was written by this node in epoch
	epoch   int32
	tried   uint64 // the greatest generation that was ever sent: a lost answer's write may arrive late
}

func newLedger(s Store, id partitionID) *ledger {
	return &ledger{store: s, id: id, current: &Manifest{}}
}

// versions lists what the store has, and finds the greatest.
func (l *ledger) versions(ctx context.Context) (all []Version, newest Version, err error) {
	list, err := l.store.List(ctx, l.id.manifests())
	if err != nil {
		return nil, newest, err
	}
	for _, o := range list {
		v, ok := parseVersion(path.Base(o.Key))
		if !ok {
			continue
		}
		if len(all) == 0 || newest.Before(v) {
			newest = v
		}
		all = append(all, v)
	}
	return all, newest, nil
}

// refresh loads the newest manifest if it is newer than the one that is known. It tells whether it was.
func (l *ledger) refresh(ctx context.Context) (bool, error) {
	for range 5 {
		all, newest, err := l.versions(ctx)
		if err != nil || len(all) == 0 || !l.current.Version.Before(newest) {
			return false, err
		}
		m, err := l.get(ctx, newest)
		if errors.Is(err, ErrNotFound) {
			continue // the writer has gone on since
		}
		if err != nil {
			return false, err
		}
		changed := m.Version != l.current.Version
		l.current = m
		return changed, nil
	}
	return false, fmt.Errorf("tier: the manifests of %s change too fast to be read", l.id)
}

func (l *ledger) get(ctx context.Context, v Version) (*Manifest, error) {
	key := l.id.manifestKey(v)
	list, err := l.store.List(ctx, key)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNotFound, key)
	}
	b, err := l.store.Get(ctx, key, 0, list[0].Size)
	if err != nil {
		return nil, err
	}
	m, err := DecodeManifest(b)
	if err == nil && m.Version != v {
		err = fmt.Errorf("tier: it is version %v", m.Version)
	}
	if err != nil {
		return nil, corrupt(key, err)
	}
	return m, nil
}

// claim makes the manifest this leader's: from here on writes of older epochs lose. change is part of it.
func (l *ledger) claim(ctx context.Context, epoch int32, change func(*Manifest)) error {
	l.claimed = false
	if _, err := l.refresh(ctx); err != nil {
		return err
	}
	base := l.current
	for range 5 {
		if base.Version.Epoch > epoch {
			return ErrFenced
		}
		m := base.clone()
		change(m)
		if err := l.put(ctx, m, epoch); err != nil {
			return err
		}
		all, newest, err := l.versions(ctx)
		if err != nil {
			return err
		}
		if newest != m.Version {
			return ErrFenced
		}
		raced, ok := lastBetween(all, base.Version, epoch)
		if !ok {
			l.current, l.claimed, l.epoch = m, true, epoch
			return l.trim(ctx, all)
		}
		if base, err = l.get(ctx, raced); err != nil {
			return err
		}
	}
	return fmt.Errorf("tier: the manifests of %s change too fast to be claimed", l.id)
}

// lastBetween finds the newest version of an epoch below that came after base.
func lastBetween(all []Version, base Version, below int32) (last Version, ok bool) {
	for _, v := range all {
		if v.Epoch < below && base.Before(v) && (!ok || last.Before(v)) {
			last, ok = v, true
		}
	}
	return last, ok
}

// publish replaces the manifest by m. After an error it is not known which of the two holds: the ledger must be claimed
// again.
func (l *ledger) publish(ctx context.Context, m *Manifest) error {
	if !l.claimed {
		return ErrFenced
	}
	l.claimed = false
	if err := l.put(ctx, m, l.epoch); err != nil {
		return err
	}
	all, newest, err := l.versions(ctx)
	if err != nil {
		return err
	}
	if newest != m.Version {
		return ErrFenced
	}
	l.current, l.claimed = m, true
	return l.trim(ctx, all)
}

// put writes m as the next generation.
func (l *ledger) put(ctx context.Context, m *Manifest, epoch int32) error {
	l.tried = max(l.tried, l.current.Version.Generation) + 1
	m.Version = Version{Epoch: epoch, Generation: l.tried}
	if err := m.check(); err != nil {
		panic("BUG: a manifest of " + l.id.String() + ": " + err.Error())
	}
	return l.store.Put(ctx, l.id.manifestKey(m.Version), bodyOf(m.Encode()))
}

// trim deletes manifests that no longer hold, but the one before the current: somebody may be reading it.
func (l *ledger) trim(ctx context.Context, all []Version) error {
	var before Version
	for _, v := range all {
		if v.Before(l.current.Version) && before.Before(v) {
			before = v
		}
	}
	for _, v := range all {
		if v.Before(before) {
			if err := l.store.Delete(ctx, l.id.manifestKey(v)); err != nil {
				return err
			}
		}
	}
	return nil
}

// sweep deletes data that no manifest points to: what crashed or deposed leaders left.
func (l *ledger) sweep(ctx context.Context) (int, error) {
	list, err := l.store.List(ctx, l.id.data())
	if err != nil {
		return 0, err
	}
	known := map[string]bool{}
	for _, e := range l.current.Entries {
		known[e.Key] = true
	}
	n := 0
	for _, o := range list {
		if v, ok := writerOf(o.Key); !ok || known[o.Key] || !v.Before(l.current.Version) {
			continue
		}
		if err := l.store.Delete(ctx, o.Key); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// lineage condemns objects that are not of this leader's log: an unclean election gave up their offsets. Only what the
// leader's own epochs contradict is condemned, and nothing below its local start: there it has taken the archive's word.
func lineage(m *Manifest, localStart int64, end func(epoch int32) (int32, int64)) bool {
	return m.condemn(func(e Entry) bool {
		if e.State != CopyFinished || e.LastEpoch < 0 || e.Next <= localStart {
			return false
		}
		epoch, at := end(e.LastEpoch)
		return epoch >= 0 && at < e.Next
	})
}
