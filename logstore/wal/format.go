package wal

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
)

// Type says what a record is. Types below 16 are the log's own; its users number theirs from FirstUserType.
type Type uint8

const (
	typeMark       Type = 1 // payload: the last LSN that was durable when the mark was written
	typeCheckpoint Type = 2 // payload: the last LSN whose records are safe elsewhere
	typeClose      Type = 3 // payload as a checkpoint's; nothing but marks follows it in its file

	FirstUserType Type = 16
)

const (
	fileMagic   = "SFWAL\x00\x00\x01" // the last byte is the version
	fileHeader  = 64
	recordHead  = 32
	align       = 8
	markPayload = 8
	markSize    = recordHead + markPayload
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header is a record's fixed part.
//
//	0 length u32 | 4 crc u32 | 8 type u8, 3 zero | 12 salt u32 | 16 timestamp i64 ms | 24 lsn u64 | 32 payload
type header struct {
	length    uint32 // of the payload
	crc       uint32 // of everything else in the record
	typ       Type
	salt      uint32
	timestamp int64
	lsn       uint64
}

// recordSize is what a record with such a payload takes in the file.
func recordSize(payload int) int64 {
	return int64(recordHead+payload+align-1) &^ (align - 1)
}

func putHeader(b []byte, h header) {
	le := binary.LittleEndian
	le.PutUint32(b[0:], h.length)
	le.PutUint32(b[8:], uint32(h.typ))
	le.PutUint32(b[12:], h.salt)
	le.PutUint64(b[16:], uint64(h.timestamp))
	le.PutUint64(b[24:], h.lsn)
}

func getHeader(b []byte) header {
	le := binary.LittleEndian
	return header{
		length: le.Uint32(b[0:]), crc: le.Uint32(b[4:]), typ: Type(b[8]), salt: le.Uint32(b[12:]),
		timestamp: int64(le.Uint64(b[16:])), lsn: le.Uint64(b[24:]),
	}
}

// sealRecord writes the CRC of a record: header and payload, without padding.
func sealRecord(b []byte) { binary.LittleEndian.PutUint32(b[4:], recordCRC(b)) }

func recordCRC(b []byte) uint32 {
	return crc32.Update(crc32.Checksum(b[0:4], castagnoli), castagnoli, b[8:])
}

func putMark(b []byte, typ Type, salt uint32, ts int64, lsn, about uint64) {
	putHeader(b, header{length: markPayload, typ: typ, salt: salt, timestamp: ts, lsn: lsn})
	binary.LittleEndian.PutUint64(b[recordHead:], about)
	sealRecord(b[:markSize])
}

// putFileHeader fills a file's first bytes: magic, sequence number, salt, CRC.
func putFileHeader(b []byte, seq uint64, salt uint32) {
	copy(b, fileMagic)
	binary.LittleEndian.PutUint64(b[8:], seq)
	binary.LittleEndian.PutUint32(b[16:], salt)
	binary.LittleEndian.PutUint32(b[20:], crc32.Checksum(b[:20], castagnoli))
}

func getFileHeader(b []byte) (seq uint64, salt uint32, err error) {
	if len(b) < fileHeader || string(b[:7]) != fileMagic[:7] {
		return 0, 0, fmt.Errorf("not a write-ahead log file")
	}
	if b[7] != fileMagic[7] {
		return 0, 0, fmt.Errorf("write-ahead log version %d, this program reads %d", b[7], fileMagic[7])
	}
	if crc32.Checksum(b[:20], castagnoli) != binary.LittleEndian.Uint32(b[20:]) {
		return 0, 0, fmt.Errorf("file header fails its CRC")
	}
	return binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint32(b[16:]), nil
}
