package record

import "fmt"

// Attr is a batch's attribute word.
//
//	bit 0-2  codec          bit 4  transactional     bit 6  delete horizon
//	bit 3    log-append time bit 5  control           bit 8  payload is an Arrow record batch (ours)
type Attr uint16

const (
	attrCodec         Attr = 0x07
	AttrLogAppendTime Attr = 0x08
	AttrTransactional Attr = 0x10
	AttrControl       Attr = 0x20
	AttrDeleteHorizon Attr = 0x40
	AttrArrow         Attr = 0x100
)

func (a Attr) Codec() Codec          { return Codec(a & attrCodec) }
func (a Attr) IsLogAppendTime() bool { return a&AttrLogAppendTime != 0 }
func (a Attr) IsTransactional() bool { return a&AttrTransactional != 0 }
func (a Attr) IsControl() bool       { return a&AttrControl != 0 }

// IsArrow tells that the payload is one Arrow record batch rather than records. Its rows take offsets as records do.
func (a Attr) IsArrow() bool { return a&AttrArrow != 0 }

// Codec is how a batch's records are compressed.
type Codec uint8

const (
	None Codec = iota
	Gzip
	Snappy
	LZ4
	Zstd
)

var codecNames = [...]string{"none", "gzip", "snappy", "lz4", "zstd"}

func (c Codec) known() bool { return int(c) < len(codecNames) }

func (c Codec) String() string {
	if !c.known() {
		return fmt.Sprintf("codec(%d)", uint8(c))
	}
	return codecNames[c]
}

// ParseCodec finds a codec by Kafka's name for it.
func ParseCodec(name string) (Codec, bool) {
	for i, n := range codecNames {
		if n == name {
			return Codec(i), true
		}
	}
	return None, false
}
