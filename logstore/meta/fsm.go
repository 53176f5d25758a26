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
	sessions *sessions
	applied  atomic.Uint64 // index of the last entry that the machines have seen
	waiters  waiters       // for applied to move
	onApply  func(index, term uint64)
	running  atomic.Bool // raft runs; before, an error of Restore is one of Open
}

// outcome is what became of one command.
type outcome struct {
	result []byte
	err    error
}

func newFSM(self int32, machines []Machine) (*fsm, error) {
	f := &fsm{machines: map[string]Machine{}, dormant: map[string]*dormant{}, sessions: newSessions(self)}
	for _, m := range machines {
		if m.Name() == "" || m.Name() == groupSection || f.machines[m.Name()] != nil {
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
	stale    bool // the entry's session or number is past; it has no effect
}

// Apply implements raft.FSM. It returns an entryOutcome.
func (f *fsm) Apply(l *raft.Log) any {
	e, err := decodeEntry(l.Data)
	if err != nil {
		panic(fmt.Sprintf("FATAL: metadata log entry %d is damaged: %v", l.Index, err))
	}
	out := f.applyEntry(l.Index, e)
	f.reached(l.Index)
	if e.stamped && out.index == l.Index {
		f.sessions.applied(e.at, out) // the proposer goes on from here: all that it may look at is done
	}
	if f.onApply != nil {
		f.onApply(l.Index, l.Term)
	}
	return out
}

func (f *fsm) applyEntry(index uint64, e logEntry) entryOutcome {
	if e.stamped {
		if e.at.seq == 0 {
			f.sessions.open(e.at)
			return entryOutcome{}
		}
		if before, ok := f.sessions.admit(e.at); !ok {
			return before
		}
	}
	out := make([]outcome, len(e.cmds))
	for i, c := range e.cmds {
		out[i] = f.applyOne(c)
	}
	return entryOutcome{index: index, outcomes: out}
}

// reached notes that the machines have seen all commands up to an index.
func (f *fsm) reached(index uint64) {
	f.applied.Store(index)
	f.waiters.wake(index)
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
	sections := []section{{groupSection, f.sessions.encode(f.applied.Load())}}
	for name, m := range f.machines {
		sections = append(sections, section{name, m.Snapshot()})
	}
	for name, d := range f.dormant {
		sections = append(sections, section{dormantPrefix + name, d.encode()})
	}
	return fsmSnapshot(appendSnapshot(nil, sections)), nil
}

// Restore implements raft.FSM. A running node whose machines took in a part of a leader's snapshot has no state to go on with.
func (f *fsm) Restore(r io.ReadCloser) error {
	defer r.Close()
	err := f.restore(r)
	if err != nil && f.running.Load() {
		panic(fmt.Sprintf("FATAL: metadata snapshot of the leader could not be restored: %v", err))
	}
	return err
}

func (f *fsm) restore(r io.Reader) error {
	sections, err := readSnapshot(r)
	if err != nil {
		return err
	}
	f.dormant = map[string]*dormant{}
	var group []byte // absent from snapshots of older releases
	for _, s := range sections {
		if s.name == groupSection {
			group = s.state
		} else if err := f.restoreSection(s); err != nil {
			return err
		}
	}
	applied, err := f.sessions.restore(group)
	if err != nil {
		return fmt.Errorf("meta: snapshot section %q: %w", groupSection, err)
	}
	f.reached(applied)
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
