package logstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// The file partition says which partition a directory is: its incarnation, and from version 2 on the id of its topic, so
// that a node that slept through the deletion of a topic and the creation of another of that name finds it out.
const (
	identityMagic = "SFPRT\x00\x00" // a version byte follows
	identityFile  = "partition"

	identityPlain   = 1 // no topic id
	identityTopicID = 2
)

// identity is what tells a partition from an earlier one of the same name.
type identity struct {
	incarnation uint64   // on this node
	topicID     [16]byte // in the cluster; zero: not known
}

func (i identity) encode() []byte {
	b := append([]byte(identityMagic), identityPlain)
	b = binary.LittleEndian.AppendUint64(b, i.incarnation)
	if i.topicID != ([16]byte{}) {
		b[len(identityMagic)] = identityTopicID
		b = append(b, i.topicID[:]...)
	}
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeIdentity(b []byte) (i identity, err error) {
	const head = len(identityMagic) + 1
	want := head + 8 + 4
	if len(b) >= head && b[head-1] == identityTopicID {
		want += len(i.topicID)
	}
	if len(b) != want || string(b[:len(identityMagic)]) != identityMagic || b[head-1] > identityTopicID {
		return i, fmt.Errorf("not a partition identity of this version")
	}
	if crc32.Checksum(b[:want-4], castagnoli) != binary.LittleEndian.Uint32(b[want-4:]) {
		return i, fmt.Errorf("partition identity fails its CRC")
	}
	i.incarnation = binary.LittleEndian.Uint64(b[head:])
	copy(i.topicID[:], b[head+8:want-4])
	return i, nil
}
