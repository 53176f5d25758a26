package peer

import (
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// refusalEvery is how often a host's refusals are logged: a node with a wrong secret calls again and again.
const refusalEvery = 10 * time.Second

// refusals logs why connections were refused, seldom enough for callers that do not give up.
type refusals struct {
	log  *slog.Logger
	mu   sync.Mutex
	last map[string]time.Time // by host; bounded
}

// maxHosts bounds what is remembered of who was refused.
const maxHosts = 1024

func (r *refusals) note(from net.Addr, why error) {
	host, _, err := net.SplitHostPort(from.String())
	if err != nil {
		host = from.String()
	}
	key := host + " " + reason(why)
	now := time.Now()
	r.mu.Lock()
	quiet := now.Sub(r.last[key]) < refusalEvery
	if !quiet {
		if r.last == nil || len(r.last) >= maxHosts {
			r.last = map[string]time.Time{}
		}
		r.last[key] = now
	}
	r.mu.Unlock()
	if quiet {
		return
	}
	if errors.Is(why, errSecret) {
		r.log.Warn("peer: connection refused: its cluster secret is not ours; set the same cluster.secret on every node", "from", from.String(), "reason", why.Error())
		return
	}
	r.log.Warn("peer: connection refused", "from", from.String(), "reason", why.Error())
}

func reason(err error) string {
	for _, e := range []error{errSecret, errNotPeer, errVersion} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	return "other"
}
