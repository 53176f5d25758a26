package meta

import (
	"fmt"
	"io"
	"sync/atomic"

	"github.com/hashicorp/raft"
)

// fsm hands each command of a log entry to its machine. Raft calls it from one goroutine.
type fsm struct {
	machines map[string]Machine
	dormant  map[string]*dormant
	applied  atomic.Uint64
}

// outcome is what became of one command.
type outcome struct {
	result []byte
	err    error
}

func newFSM(machines []Machine) (*fsm, error) {
	f := &fsm{machines: map[string]Machine{}, dormant: map[string]*dormant{}}
	for _, m := range machines {
		if m.Name() == "" || f.machines[m.Name()] != nil {
			return nil, fmt.Errorf("meta: machine name %q is empty or taken", m.Name())
		}
		f.machines[m.Name()] = m
	}
	return f, nil
}

// entryOutcome is what became of an entry's commands.
type entryOutcome struct {
	index    uint64
	outcomes []outcome
}

// Apply implements raft.FSM. It returns an entryOutcome.
func (f *fsm) Apply(l *raft.Log) any {
	cmds, err := decodeEntry(l.Data)
	if err != nil {
		panic(fmt.Sprintf("FATAL: metadata log entry %d is damaged: %v", l.Index, err))
	}
	out := make([]outcome, len(cmds))
	for i, c := range cmds {
		out[i] = f.applyOne(c)
	}
	f.applied.Store(l.Index)
	return entryOutcome{l.Index, out}
}

func (f *fsm) applyOne(c command) outcome {
	m := f.machines[c.machine]
	if m == nil {
		f.sleeper(c.machine).add(c.data)
		return outcome{err: fmt.Errorf("meta: %s: %w", c.machine, errNoMachine)}
	}
	result, err := m.Apply(c.data)
	return outcome{result, err}
}

func (f *fsm) sleeper(name string) *dormant {
	d := f.dormant[name]
	if d == nil {
		d = &dormant{}
		f.dormant[name] = d
	}
	return d
}

// Snapshot implements raft.FSM.
func (f *fsm) Snapshot() (raft.FSMSnapshot, error) {
	var sections []section
	for name, m := range f.machines {
		sections = append(sections, section{name, m.Snapshot()})
	}
	for name, d := range f.dormant {
		sections = append(sections, section{dormantPrefix + name, d.encode()})
	}
	return fsmSnapshot(appendSnapshot(nil, sections)), nil
}

// Restore implements raft.FSM.
func (f *fsm) Restore(r io.ReadCloser) error {
	defer r.Close()
	sections, err := readSnapshot(r)
	if err != nil {
		return err
	}
	f.dormant = map[string]*dormant{}
	for _, s := range sections {
		if err := f.restoreSection(s); err != nil {
			return err
		}
	}
	return nil
}

func (f *fsm) restoreSection(s section) error {
	name, d := s.name, &dormant{base: append([]byte(nil), s.state...), restored: true}
	if len(name) > len(dormantPrefix) && name[:len(dormantPrefix)] == dormantPrefix {
		var err error
		if d, err = decodeDormant(s.state); err != nil {
			return fmt.Errorf("meta: snapshot section %q: %w", name, err)
		}
		name = name[len(dormantPrefix):]
	}
	if m := f.machines[name]; m != nil {
		return d.wake(m)
	}
	f.dormant[name] = d
	return nil
}
