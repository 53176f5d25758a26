package broker

import (
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/uuid"
)

func TestSharesMachineFences(t *testing.T) {
	m := newSharesMachine()
	at := SharePlace{TopicID: uuid.UUID{1}, Partition: 2}
	apply := func(want error, c shareCommand) {
		t.Helper()
		cmd, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := m.Apply(cmd); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", cmd, err, want)
		}
	}
	write := func(epoch, leader int32, start int64) shareCommand {
		return shareCommand{Group: "g", Write: &shareWrite{at, ShareState{Epoch: epoch, LeaderEpoch: leader, Start: start, Kept: []byte{1}}}}
	}
	apply(nil, write(0, 3, 10))
	apply(ErrShareFenced, write(0, 2, 11)) // a leader of before
	apply(nil, write(0, 4, 12))
	apply(nil, shareCommand{Group: "g", Set: []shareWrite{{at, ShareState{Start: 5}}}})
	apply(ErrShareFenced, write(0, 9, 13)) // it has not seen that the start was moved
	b := &Broker{shares: newSharesMachine()}
	if err := b.shares.Restore(m.Snapshot()); err != nil {
		t.Fatal(err)
	}
	m = b.shares
	if s, ok := b.ShareState("g", at); !ok || s.Start != 5 || s.Epoch != 1 || len(s.Kept) != 0 {
		t.Errorf("%+v", s)
	}
	apply(nil, write(1, 9, 13))
	if got := b.ShareStates("g"); len(got) != 1 || got[at].Start != 13 {
		t.Errorf("%+v", got)
	}
	apply(nil, shareCommand{Group: "g", Drop: []uuid.UUID{{1}}})
	if !b.HasShareGroup("g") || len(b.ShareStates("g")) != 0 {
		t.Errorf("%v", b.ShareGroups())
	}
	again := newSharesMachine()
	if err := again.Restore(m.Snapshot()); err != nil || len(again.groups) != 1 {
		t.Errorf("%v, %v", again.groups, err)
	}
	apply(nil, shareCommand{Group: "g", DropGroup: true})
	if b.HasShareGroup("g") {
		t.Errorf("%v", b.ShareGroups())
	}
}
