package segment

import (
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"strings"
)

// Extensions of the files of a compaction; see docs/format/compaction.md.
const (
	CleanedExt  = ".cleaned"  // what a compaction has written; nothing until a .swap names it
	SwapExt     = ".swap"     // a manifest whose replacement is under way
	ManifestExt = ".manifest" // a manifest whose replacement is done; it stays as long as its segment
	DeletedExt  = ".deleted"  // a file that is out of use, kept for a while
)

// ManifestVersion is the version that this program writes.
const ManifestVersion = 1

// Manifest says what a compaction replaced, and by what. It is the only thing that makes the replacement happen.
type Manifest struct {
	Version   int       `json:"version"`
	TimeMs    int64     `json:"timeMs"`    // when the compaction ended
	CleanedTo int64     `json:"cleanedTo"` // the pass knew every key below this offset
	Sources   []FileSum `json:"sources"`   // in offset order; the first one's base is the target's
	Target    FileSum   `json:"target"`
	Counts    Counts    `json:"counts"`
	Ratio     float64   `json:"ratio"` // bytes after, for each byte before
}

// FileSum is a segment's file, with the checksum of all its bytes.
type FileSum struct {
	Base       int64  `json:"base"`
	Next       int64  `json:"next"`
	Bytes      int64  `json:"bytes"`
	Records    int64  `json:"records"`
	CreatedMs  int64  `json:"createdMs"`
	AppendedMs int64  `json:"appendedMs"`
	SHA256     string `json:"sha256"`
}

// Counts is what a compaction did to records.
type Counts struct {
	Kept       int64 `json:"kept"`       // records that stay
	Superseded int64 `json:"superseded"` // records dropped because a later one has their key
	Tombstones int64 `json:"tombstones"` // tombstones dropped because their time was over
	Aborted    int64 `json:"aborted"`    // records dropped with their aborted transaction
	Markers    int64 `json:"markers"`    // control markers dropped
	Keyless    int64 `json:"keyless"`    // records without a key, among the kept
	Opaque     int64 `json:"opaque"`     // rows of batches whose keys are not known here, among the kept
	Fillers    int64 `json:"fillers"`    // empty batches that keep the offsets of dropped ones
}

// Add sums counts up.
func (c *Counts) Add(o Counts) {
	c.Kept += o.Kept
	c.Superseded += o.Superseded
	c.Tombstones += o.Tombstones
	c.Aborted += o.Aborted
	c.Markers += o.Markers
	c.Keyless += o.Keyless
	c.Opaque += o.Opaque
	c.Fillers += o.Fillers
}

// Dropped is the number of records and markers that are gone.
func (c Counts) Dropped() int64 { return c.Superseded + c.Tombstones + c.Aborted + c.Markers }

const crcLine = "crc32c "

// Encode is the manifest's file: a line of JSON, and a line with the CRC32C of the first.
func (m Manifest) Encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic("BUG: a manifest is plain data: " + err.Error())
	}
	b = append(b, '\n')
	return fmt.Appendf(b, "%s%08x\n", crcLine, crc32.Checksum(b, castagnoli))
}

// DecodeManifest reads a manifest's file.
func DecodeManifest(b []byte) (Manifest, error) {
	var m Manifest
	line, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok {
		return m, fmt.Errorf("segment: manifest is cut short")
	}
	body := b[:len(line)+1]
	if want := fmt.Sprintf("%s%08x\n", crcLine, crc32.Checksum(body, castagnoli)); string(rest) != want {
		return m, fmt.Errorf("segment: manifest fails its CRC: it says %q, the bytes say %q", strings.TrimSpace(string(rest)), strings.TrimSpace(want))
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, fmt.Errorf("segment: manifest: %w", err)
	}
	return m, m.check()
}

func (m Manifest) check() error {
	if m.Version != ManifestVersion {
		return fmt.Errorf("segment: manifest version %d, this program reads %d", m.Version, ManifestVersion)
	}
	n := len(m.Sources)
	if n == 0 || m.Sources[0].Base != m.Target.Base || m.Sources[n-1].Next != m.Target.Next {
		return fmt.Errorf("segment: manifest: the sources do not cover the target")
	}
	for i := 1; i < n; i++ {
		if m.Sources[i].Base != m.Sources[i-1].Next {
			return fmt.Errorf("segment: manifest: source %d does not follow the one before", i)
		}
	}
	return nil
}
