package broker

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/streamflow/streamflow/logstore/meta"
)

// CommitOffsets records where a group stands; durable when it returns. Topics and partitions are not checked. In a cluster it is
// for the group's coordinator: ErrNotCoordinator on other nodes, and for one that was deposed before the commit was decided.
func (b *Broker) CommitOffsets(ctx context.Context, group string, offsets []GroupOffset) error {
	_, err := b.SubmitOffsets(group, offsets).Wait(ctx)
	return err
}

// SubmitOffsets is CommitOffsets without the wait. Commits take effect in the order of their submission.
func (b *Broker) SubmitOffsets(group string, offsets []GroupOffset) *meta.Pending {
	data, err := json.Marshal(offsetCommand{Office: b.office(GroupCoordinator, group), Group: group, Commit: offsets})
	if err != nil {
		panic(fmt.Sprintf("BUG: offset commit does not encode: %v", err))
	}
	return b.node.Submit(b.offsets.Name(), data)
}

// FetchOffsets returns all offsets that a group has committed, by topic and partition.
func (b *Broker) FetchOffsets(group string) []GroupOffset { return b.offsets.all(group) }

// FetchOffset returns one committed offset.
func (b *Broker) FetchOffset(group, topic string, partition int32) (CommittedOffset, bool) {
	return b.offsets.get(group, topic, partition)
}

// DeleteOffsets forgets single offsets of a group.
func (b *Broker) DeleteOffsets(ctx context.Context, group string, places []GroupOffset) error {
	return b.applyOffsets(ctx, offsetCommand{Office: b.office(GroupCoordinator, group), Group: group, Delete: places})
}

// DeleteGroupOffsets forgets all of a group.
func (b *Broker) DeleteGroupOffsets(ctx context.Context, group string) error {
	return b.applyOffsets(ctx, offsetCommand{Office: b.office(GroupCoordinator, group), Group: group, DropGroup: true})
}

// GroupsWithOffsets names the groups that have committed offsets.
func (b *Broker) GroupsWithOffsets() []string { return b.offsets.names() }

func (b *Broker) applyOffsets(ctx context.Context, c offsetCommand) error {
	_, err := b.apply(ctx, b.offsets, c)
	return err
}
