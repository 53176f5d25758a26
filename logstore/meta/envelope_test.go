package meta

import (
	"fmt"
	"strings"
	"testing"
)

func TestEntryRoundTripAndDamage(t *testing.T) {
	cmds := []command{{"topics", []byte("create")}, {"offsets", nil}}
	at := stamp{node: 3, epoch: 2, nonce: 1 << 63, seq: 300}
	for _, c := range []struct {
		entry []byte
		want  logEntry
	}{
		{appendEntry(nil, cmds), logEntry{cmds: cmds}},
		{appendStamped(nil, at, cmds), logEntry{stamped: true, at: at, cmds: cmds}},
		{appendStamped(nil, at, nil), logEntry{stamped: true, at: at}},
	} {
		e, err := decodeEntry(c.entry)
		if err != nil || fmt.Sprint(e) != fmt.Sprint(c.want) {
			t.Fatalf("%v %v, want %v", e, err, c.want)
		}
		for i := range c.entry {
			damaged := append([]byte(nil), c.entry...)
			damaged[i] ^= 0x10
			if _, err := decodeEntry(damaged); err == nil {
				t.Errorf("flipped bit in byte %d not found", i)
			}
		}
		for i := range c.entry {
			if _, err := decodeEntry(c.entry[:i]); err == nil {
				t.Errorf("cut at %d not found", i)
			}
		}
	}
}

func TestSnapshotDamageNamesTheMachine(t *testing.T) {
	snap := appendSnapshot(nil, []section{{"topics", []byte("tttt")}, {"offsets", []byte("oooo")}})
	sections, err := decodeSnapshot(snap)
	if err != nil || len(sections) != 2 || sections[0].name != "offsets" || string(sections[1].state) != "tttt" {
		t.Fatalf("%v %v", sections, err)
	}
	i := strings.Index(string(snap), "tttt")
	snap[i] ^= 1
	if _, err := decodeSnapshot(snap); err == nil || !strings.Contains(err.Error(), `"topics": checksum`) {
		t.Errorf("error %v", err)
	}
}

func FuzzDecodeEntry(f *testing.F) {
	f.Add(appendEntry(nil, []command{{"topics", []byte("create")}, {"offsets", nil}}))
	f.Add(appendStamped(nil, stamp{node: 1, epoch: 1, nonce: 7, seq: 1}, []command{{"topics", []byte("create")}}))
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := decodeEntry(data)
		if err != nil {
			return
		}
		encoded := appendEntry(nil, e.cmds)
		if e.stamped {
			encoded = appendStamped(nil, e.at, e.cmds)
		}
		again, err := decodeEntry(encoded)
		if err != nil || fmt.Sprint(again) != fmt.Sprint(e) {
			t.Errorf("%v became %v (%v)", e, again, err)
		}
	})
}

func FuzzDecodeSnapshot(f *testing.F) {
	f.Add(appendSnapshot(nil, []section{{"topics", []byte("x")}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		sections, err := decodeSnapshot(data)
		if err != nil {
			return
		}
		if _, err := decodeSnapshot(appendSnapshot(nil, sections)); err != nil {
			t.Error(err)
		}
	})
}

func FuzzDecodeDormant(f *testing.F) {
	d := &dormant{base: []byte("b"), restored: true, cmds: [][]byte{[]byte("c")}}
	f.Add(d.encode())
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := decodeDormant(data)
		if err != nil {
			return
		}
		if _, err := decodeDormant(d.encode()); err != nil {
			t.Error(err)
		}
	})
}

func FuzzDecodeSessions(f *testing.F) {
	t := newSessions(1)
	t.open(stamp{node: 1, epoch: 1, nonce: 5})
	t.applied(stamp{node: 1, epoch: 1, nonce: 5, seq: 1}, entryOutcome{index: 9, outcomes: []outcome{{result: []byte("r")}, {err: errNoMachine}}})
	f.Add(t.encode(9))
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newSessions(1)
		applied, err := s.restore(data)
		if err != nil {
			return
		}
		if again, err := newSessions(1).restore(s.encode(applied)); err != nil || again != applied {
			t.Errorf("%d became %d (%v)", applied, again, err)
		}
	})
}
