package meta

import (
	"fmt"
	"strings"
	"testing"
)

func TestEntryRoundTripAndDamage(t *testing.T) {
	entry := appendEntry(nil, []command{{"topics", []byte("create")}, {"offsets", nil}})
	cmds, err := decodeEntry(entry)
	if err != nil || fmt.Sprint(cmds) != "[{topics [99 114 101 97 116 101]} {offsets []}]" {
		t.Fatalf("%v %v", cmds, err)
	}
	for i := range entry {
		damaged := append([]byte(nil), entry...)
		damaged[i] ^= 0x10
		if _, err := decodeEntry(damaged); err == nil {
			t.Errorf("flipped bit in byte %d not found", i)
		}
	}
	for i := range entry {
		if _, err := decodeEntry(entry[:i]); err == nil {
			t.Errorf("cut at %d not found", i)
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
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		cmds, err := decodeEntry(data)
		if err != nil {
			return
		}
		again, err := decodeEntry(appendEntry(nil, cmds))
		if err != nil || fmt.Sprint(again) != fmt.Sprint(cmds) {
			t.Errorf("%v became %v (%v)", cmds, again, err)
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
