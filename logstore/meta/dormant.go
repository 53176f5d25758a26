package meta

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// errNoMachine answers a command for a machine that this process does not host.
var errNoMachine = errors.New("no such machine in this process")

// dormant keeps the state of a machine that this process does not host (a tool that opens a data directory without the
// engine, say): the last snapshot and each command since. Nothing of it is lost when this process writes snapshots, and a
// process that hosts the machine wakes it by restoring the snapshot and applying the commands.
type dormant struct {
	base     []byte
	restored bool // base is a snapshot; false: the machine started empty
	cmds     [][]byte
}

// dormantPrefix marks the snapshot section of a dormant machine; machine names do not start with it.
const dormantPrefix = "dormant:"

func (d *dormant) add(cmd []byte) { d.cmds = append(d.cmds, append([]byte(nil), cmd...)) }

func (d *dormant) encode() []byte {
	var dst []byte
	if d.restored {
		dst = append(dst, 1)
	} else {
		dst = append(dst, 0)
	}
	dst = appendBytes(dst, d.base)
	dst = binary.AppendUvarint(dst, uint64(len(d.cmds)))
	for _, c := range d.cmds {
		dst = appendBytes(dst, c)
	}
	return dst
}

func decodeDormant(b []byte) (*dormant, error) {
	if len(b) == 0 {
		return nil, errTruncated
	}
	d := &dormant{restored: b[0] == 1}
	base, rest, err := takeBytes(b[1:])
	if err != nil {
		return nil, err
	}
	d.base = append([]byte(nil), base...)
	count, rest, err := uvarint(rest)
	if err != nil {
		return nil, err
	}
	for range count {
		var c []byte
		if c, rest, err = takeBytes(rest); err != nil {
			return nil, err
		}
		d.add(c)
	}
	return d, nil
}

// wake brings m to the state that its commands make. Errors of single commands are outcomes, not failures.
func (d *dormant) wake(m Machine) error {
	if d.restored {
		if err := m.Restore(d.base); err != nil {
			return fmt.Errorf("meta: restore %s: %w", m.Name(), err)
		}
	}
	for _, c := range d.cmds {
		_, _ = m.Apply(c)
	}
	return nil
}
