package savepoint

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"time"
)

// Manifest is a savepoint: which batch it is of, where in the input that is, and the chunks of each operator.
type Manifest struct {
	Query   string    `json:"query"`
	Name    string    `json:"name"`
	Created time.Time `json:"created"`
	Batch   int64     `json:"batch"` // the last committed one, which is the version of the state
	// Definition is the query's, as its record has it.
	Definition   []byte             `json:"definition"`
	Offsets      map[string][]int64 `json:"offsets"` // by source operator
	StartOffsets map[string][]int64 `json:"startOffsets,omitempty"`
	Clocks       map[string][]int64 `json:"clocks,omitempty"`
	Watermarks   map[string]int64   `json:"watermarks,omitempty"`
	Ops          []Op               `json:"operators"`
}

// Op is an operator's state.
type Op struct {
	Op     string  `json:"operator"`
	TTL    bool    `json:"ttl,omitempty"` // values begin with their time of expiry
	Chunks []Chunk `json:"chunks"`
}

// Chunk is an object with entries of key groups From to To, both included.
type Chunk struct {
	Sum   string `json:"sha256"`
	Bytes int64  `json:"bytes"`
	Rows  int64  `json:"rows"`
	From  int    `json:"from"`
	To    int    `json:"to"`
}

// Size sums the manifest's entries and the bytes of their chunks.
func (m *Manifest) Size() (rows, bytes int64) {
	for _, op := range m.Ops {
		for _, c := range op.Chunks {
			rows, bytes = rows+c.Rows, bytes+c.Bytes
		}
	}
	return rows, bytes
}

const (
	manifestMagic   = "SFSP"
	manifestVersion = 1
	manifestHead    = len(manifestMagic) + 1 + 4
)

var errManifest = errors.New("savepoint: damaged manifest")

// encode is magic, version, length, JSON, checksum.
func (m *Manifest) encode() ([]byte, error) {
	body, err := json.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("savepoint: %w", err)
	}
	b := append(append([]byte{}, manifestMagic...), manifestVersion)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(body)))
	b = append(b, body...)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

func decodeManifest(b []byte) (*Manifest, error) {
	if len(b) < manifestHead+4 || string(b[:len(manifestMagic)]) != manifestMagic {
		return nil, errManifest
	}
	end := len(b) - 4
	n := binary.LittleEndian.Uint32(b[len(manifestMagic)+1:])
	if uint64(n) != uint64(end-manifestHead) || crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return nil, errManifest
	}
	if b[len(manifestMagic)] != manifestVersion {
		return nil, errors.New("savepoint: a manifest of a later release")
	}
	m := &Manifest{}
	if err := json.Unmarshal(b[manifestHead:end], m); err != nil {
		return nil, fmt.Errorf("savepoint: manifest: %w", err)
	}
	return m, nil
}
