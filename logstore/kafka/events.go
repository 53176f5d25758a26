package kafka

import (
	"log/slog"
	"sync"
	"time"
)

// events logs what concerns security, one line each, and bounded: somebody who is refused in a loop must not fill the log.
type events struct {
	log *slog.Logger
	now func() time.Time

	mu      sync.Mutex
	second  int64 // in which the lines are counted
	lines   int
	dropped int
}

// maxEvents is how many lines a second may bring.
const maxEvents = 20

func (e *events) warn(msg string, args ...any) {
	ok, dropped := e.take()
	if !ok {
		return
	}
	if dropped > 0 {
		args = append(args, "not_logged", dropped)
	}
	e.log.Warn("security: "+msg, args...)
}

// take says whether a line may be written, and how many could not be since the last that was.
func (e *events) take() (ok bool, dropped int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := e.now().Unix(); now != e.second {
		e.second, e.lines = now, 0
	}
	if e.lines >= maxEvents {
		e.dropped++
		return false, 0
	}
	e.lines++
	dropped, e.dropped = e.dropped, 0
	return true, dropped
}
