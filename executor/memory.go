package executor

import (
	"fmt"
	"sync/atomic"
)

// pool is the process's one memory limit. Half of it is cut into one part for each slot, which the slot's task has for
// certain; tasks that need more and map outputs, which outlive tasks, share the other half as it is asked for. So outputs
// of earlier stages never leave a task without room to work in, however many they are.
//
//	┌──────── slot ────────┬──────── slot ────────┬───────────────── shared ─────────────────┐
//	│ certain for its task │ certain for its task │ more for tasks, up to their share │ outputs │
//	└──────────────────────┴──────────────────────┴──────────────────────────────────────────┘
//
// Invariant: 0 <= shared <= limit - slots*certain.
type pool struct {
	limit   int64
	certain int64 // of each slot
	room    int64 // of the shared part
	shared  atomic.Int64
	tasks   atomic.Int64 // bytes that tasks hold of their certain parts
	active  atomic.Int64 // running tasks
}

func newPool(limit int64, slots int) *pool {
	certain := limit / 2 / int64(max(slots, 1))
	return &pool{limit: limit, certain: certain, room: limit - certain*int64(max(slots, 1))}
}

// used is what is reserved of the limit.
func (p *pool) used() int64 { return p.shared.Load() + p.tasks.Load() }

// Reserve takes bytes for something that outlives tasks, such as map outputs.
func (p *pool) Reserve(n int64) bool {
	if p.shared.Add(n) <= p.room {
		return true
	}
	p.shared.Add(-n)
	return false
}

// Release gives bytes back.
func (p *pool) Release(n int64) {
	if p.shared.Add(-n) < 0 {
		panic("BUG: executor: more memory released than reserved")
	}
}

// Memory is the account for what outlives tasks.
func (x *Executor) Memory() interface {
	Reserve(bytes int64) bool
	Release(bytes int64)
} {
	return x.memory
}

// MemoryLimit is the limit of all that tasks and others hold together, in bytes.
func (x *Executor) MemoryLimit() int64 { return x.memory.limit }

// taskMemory is one task's account with the pool. It belongs to the task's goroutine.
type taskMemory struct {
	pool *pool
	used int64
}

// share is the most that a task may have: its part of the limit among those that run, so that late-comers are not starved
// for long; whoever holds more is refused more until it has spilled.
func (m *taskMemory) share() int64 {
	return max(m.pool.limit/max(m.pool.active.Load(), 1), m.pool.certain)
}

func (m *taskMemory) Reserve(n int64) bool {
	next := m.used + n
	more := m.beyond(next) - m.beyond(m.used)
	if next > m.share() || more > 0 && !m.pool.Reserve(more) {
		return false
	}
	m.pool.tasks.Add(n - more)
	m.used = next
	return true
}

func (m *taskMemory) Release(n int64) {
	if n > m.used {
		panic(fmt.Sprintf("BUG: executor: a task released %d bytes and holds %d", n, m.used))
	}
	less := m.beyond(m.used) - m.beyond(m.used-n)
	m.pool.Release(less)
	m.pool.tasks.Add(less - n)
	m.used -= n
}

// beyond is how much of used lies outside of the task's certain part.
func (m *taskMemory) beyond(used int64) int64 { return max(used-m.pool.certain, 0) }

// close gives back what the task forgot.
func (m *taskMemory) close() { m.Release(m.used) }
