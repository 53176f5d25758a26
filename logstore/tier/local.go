package tier

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"

	"github.com/google/uuid"

	"github.com/streamflow/streamflow/internal/vfs"
)

// What a node keeps of the tier on its own disk, below Options.Dir:
//
//	manifests/<topic id>/<partition>    a copy of the newest known manifest, for times when the store cannot be reached
//	manifests/<topic id>/topic          the topic's name
//	deleted/<topic id>                  the topic was deleted: its objects are to be deleted
//	spool/  cache/                      objects being made, blocks read; emptied at the start

const topicFile = "topic"

// prepare makes the directories, and empties what a crash left.
func (t *Tier) prepare() error {
	if err := os.RemoveAll(t.spool()); err != nil {
		return err
	}
	for _, dir := range []string{"manifests", "deleted"} {
		if err := vfs.OS.MkdirAll(path.Join(t.o.Dir, dir)); err != nil {
			return err
		}
	}
	return vfs.OS.SyncDir(t.o.Dir)
}

func (t *Tier) keptFile(id partitionID) string {
	return filepath.Join(t.o.Dir, "manifests", id.String())
}

// keep writes the copy of a manifest, and once the topic's name. Losing a copy costs a question to the store.
func (t *Tier) keep(id partitionID, topic string, m *Manifest) {
	name := t.keptFile(id)
	err := vfs.OS.MkdirAll(path.Dir(name))
	if err == nil {
		err = t.keepName(path.Dir(name), topic)
	}
	if err == nil {
		err = vfs.WriteFile(vfs.OS, name, m.Encode())
	}
	if err != nil {
		t.o.Logger.Warn("cold tier: the copy of a manifest was not written", "file", name, "err", err)
	}
}

// kept reads the copy; nil if there is none that is sound.
func (t *Tier) kept(id partitionID) *Manifest {
	b, err := vfs.ReadFile(vfs.OS, t.keptFile(id))
	if err != nil {
		return nil
	}
	m, err := DecodeManifest(b)
	if err != nil {
		return nil
	}
	return m
}

func (t *Tier) keepName(dir, topic string) error {
	name := path.Join(dir, topicFile)
	if b, err := vfs.ReadFile(vfs.OS, name); err == nil && string(b) == topic {
		return nil
	}
	if err := vfs.WriteFile(vfs.OS, name, []byte(topic)); err != nil {
		return err
	}
	return vfs.OS.SyncDir(dir)
}

// topicIDs are the ids under which this node knows a topic of that name: of partitions that it serves, and of copies that
// it has kept.
func (t *Tier) topicIDs(topic string) (map[uuid.UUID]bool, error) {
	found := map[uuid.UUID]bool{}
	for _, p := range t.Partitions() {
		if p.name == topic {
			found[p.id.topic] = true
		}
	}
	err := t.eachKept(func(id uuid.UUID, name string) {
		if name == topic {
			found[id] = true
		}
	})
	return found, err
}

// eachKept visits the topics of which there are copies of manifests.
func (t *Tier) eachKept(visit func(id uuid.UUID, name string)) error {
	names, err := vfs.OS.ReadDir(path.Join(t.o.Dir, "manifests"))
	for _, name := range names {
		id, err := uuid.Parse(name)
		if err != nil {
			continue
		}
		if b, err := vfs.ReadFile(vfs.OS, path.Join(t.o.Dir, "manifests", name, topicFile)); err == nil {
			visit(id, string(b))
		}
	}
	return err
}

// DeleteTopic notes durably that a topic's objects are to be deleted, and lets its partitions go. The objects go in the
// background, now or after the next start.
func (t *Tier) DeleteTopic(topic string) error {
	ids, err := t.topicIDs(topic)
	if err != nil {
		return fmt.Errorf("tier: delete topic %s: %w", topic, err)
	}
	for id := range ids {
		if err := t.deleteTopic(id); err != nil {
			return err
		}
	}
	return nil
}

func (t *Tier) deleteTopic(topic uuid.UUID) error {
	name := path.Join(t.o.Dir, "deleted", topic.String())
	err := vfs.WriteFile(vfs.OS, name, nil)
	if err == nil {
		err = vfs.OS.SyncDir(path.Dir(name))
	}
	if err != nil {
		return fmt.Errorf("tier: delete topic %s: %w", topic, err)
	}
	t.mu.Lock()
	var gone []*Partition
	for id, p := range t.parts {
		if id.topic == topic {
			gone = append(gone, p)
			delete(t.parts, id)
		}
	}
	t.mu.Unlock()
	go func() { // a copy may be under way; nothing of it is waited for
		for _, p := range gone {
			p.work.Lock()
			p.gone = true
			p.work.Unlock()
		}
	}()
	return nil
}

// collect deletes the objects of topics that were deleted. A topic is forgotten when a round finds nothing of it any more:
// what another node was just writing is found by the next one.
func (t *Tier) collect(ctx context.Context) error {
	names, err := vfs.OS.ReadDir(path.Join(t.o.Dir, "deleted"))
	if err != nil {
		return fmt.Errorf("tier: %w", err)
	}
	var errs []error
	for _, name := range names {
		if id, err := uuid.Parse(name); err == nil {
			errs = append(errs, t.collectTopic(ctx, id))
		}
	}
	return errors.Join(errs...)
}

func (t *Tier) collectTopic(ctx context.Context, topic uuid.UUID) error {
	list, err := t.o.Store.List(ctx, topicPrefix(topic))
	if err != nil {
		return err
	}
	for _, o := range list {
		if err := t.o.Store.Delete(ctx, o.Key); err != nil {
			return err
		}
		t.forget(o.Key)
	}
	if len(list) > 0 {
		t.o.Logger.Info("deleted a topic's objects", "topic_id", topic.String(), "objects", len(list))
		return nil
	}
	if err := os.RemoveAll(filepath.Join(t.o.Dir, "manifests", topic.String())); err != nil {
		return fmt.Errorf("tier: %w", err)
	}
	err = vfs.OS.Remove(path.Join(t.o.Dir, "deleted", topic.String()))
	if err != nil && !vfs.IsNotExist(err) {
		return fmt.Errorf("tier: %w", err)
	}
	return vfs.OS.SyncDir(path.Join(t.o.Dir, "deleted"))
}
