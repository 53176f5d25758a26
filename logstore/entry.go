package logstore

import (
	"encoding/binary"
	"fmt"

	"github.com/streamflow/streamflow/logstore/wal"
)

// The records that partitions write into the write-ahead log. Each begins with the partition's name and incarnation:
//
//	0 topic length u16 | topic | partition i32 | incarnation u64 | rest
const (
	typeAppend   wal.Type = wal.FirstUserType     // rest: record batches, stamped
	typeLogStart wal.Type = wal.FirstUserType + 1 // rest: log start u64
	typeDelete   wal.Type = wal.FirstUserType + 2 // the topic is deleted: partition -1, incarnation 0

	typeReplicated wal.Type = wal.FirstUserType + 3 // rest: end before them u64, batches as the leader stamped them
	typeEpoch      wal.Type = wal.FirstUserType + 4 // rest: leader epoch i32, its start u64; this node leads it, and has followers
	typeCut        wal.Type = wal.FirstUserType + 5 // rest: end u64; what was behind it is gone
	typeReset      wal.Type = wal.FirstUserType + 6 // rest: start u64; everything is gone, the log goes on there
	typeDrop       wal.Type = wal.FirstUserType + 7 // the partition is gone
	typeTopicID    wal.Type = wal.FirstUserType + 8 // rest: topic id, 16 bytes
)

func appendEntryPrefix(dst []byte, tp TopicPartition, incarnation uint64) []byte {
	le := binary.LittleEndian
	dst = le.AppendUint16(dst, uint16(len(tp.Topic)))
	dst = append(dst, tp.Topic...)
	dst = le.AppendUint32(dst, uint32(tp.Partition))
	return le.AppendUint64(dst, incarnation)
}

func cutEntryPrefix(b []byte) (tp TopicPartition, incarnation uint64, rest []byte, err error) {
	le := binary.LittleEndian
	if len(b) < 2 || len(b) < 2+int(le.Uint16(b))+12 {
		return tp, 0, nil, fmt.Errorf("logstore: write-ahead log entry of %d bytes is too short", len(b))
	}
	n := 2 + int(le.Uint16(b))
	tp = TopicPartition{Topic: string(b[2:n]), Partition: int32(le.Uint32(b[n:]))}
	return tp, le.Uint64(b[n+4:]), b[n+12:], nil
}
