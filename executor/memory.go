package executor

import "sync/atomic"

// pool is the process's one memory limit; 0 <= used. A task may have its share of the limit, which is all of it while it
// runs alone, so that late-comers are not starved for long: whoever holds more is refused more until it has spilled.
type pool struct {
	limit  int64
	used   atomic.Int64
	active atomic.Int64 // running tasks
}

// Reserve takes bytes for something that outlives tasks, such as map outputs.
func (p *pool) Reserve(n int64) bool {
	if p.used.Add(n) <= p.limit {
		return true
	}
	p.used.Add(-n)
	return false
}

// Release gives bytes back.
func (p *pool) Release(n int64) {
	if p.used.Add(-n) < 0 {
		panic("BUG: executor: more memory released than reserved")
	}
}

// taskMemory is one task's account with the pool. It belongs to the task's goroutine.
type taskMemory struct {
	pool *pool
	used int64
}

func (m *taskMemory) Reserve(n int64) bool {
	share := m.pool.limit / max(m.pool.active.Load(), 1)
	if m.used+n > share || !m.pool.Reserve(n) {
		return false
	}
	m.used += n
	return true
}

func (m *taskMemory) Release(n int64) {
	m.used -= n
	m.pool.Release(n)
}

// close gives back what the task forgot.
func (m *taskMemory) close() {
	m.pool.Release(m.used)
	m.used = 0
}
