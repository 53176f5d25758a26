package logstore

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

const (
	identityMagic = "SFPRT\x00\x00\x01" // the last byte is the version
	identityFile  = "partition"
)

func encodeIdentity(incarnation uint64) []byte {
	b := binary.LittleEndian.AppendUint64([]byte(identityMagic), incarnation)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
}

func decodeIdentity(b []byte) (incarnation uint64, err error) {
	n := len(identityMagic) + 8
	if len(b) != n+4 || string(b[:len(identityMagic)]) != identityMagic {
		return 0, fmt.Errorf("not a partition identity of this version")
	}
	if crc32.Checksum(b[:n], castagnoli) != binary.LittleEndian.Uint32(b[n:]) {
		return 0, fmt.Errorf("partition identity fails its CRC")
	}
	return binary.LittleEndian.Uint64(b[len(identityMagic):]), nil
}
