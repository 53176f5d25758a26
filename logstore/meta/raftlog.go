package meta

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
)

// raftLogger passes raft's log to l. Raft speaks often of what is ordinary, so its info is our debug; and it says again many
// times a second that a node does not answer.
func raftLogger(l *slog.Logger) hclog.Logger {
	il := hclog.NewInterceptLogger(&hclog.LoggerOptions{Output: io.Discard, Level: hclog.Off})
	il.RegisterSink(&slogSink{log: l, said: map[string]time.Time{}})
	return il
}

const (
	sayAgain = 30 * time.Second // when what was said of a node is said again
	maxSaid  = 256
)

// raftLevels corrects raft's opinion of what matters: these are of nodes that come, go and catch up.
var raftLevels = map[string]slog.Level{
	"failed to accept connection":                       slog.LevelDebug,
	"failed to decode incoming command":                 slog.LevelDebug,
	"failed to flush response":                          slog.LevelDebug,
	"failed to get previous log":                        slog.LevelDebug,
	"failed to get log":                                 slog.LevelDebug,
	"previous log term mis-match":                       slog.LevelDebug,
	"appendEntries rejected, sending older logs":        slog.LevelDebug,
	"skipping application of old log":                   slog.LevelDebug,
	"rejecting pre-vote request since we have a leader": slog.LevelDebug,
	"failed to heartbeat to":                            slog.LevelWarn,
	"failed to appendEntries to":                        slog.LevelDebug, // the heartbeat says it too
	"failed to pipeline appendEntries":                  slog.LevelDebug,
	"failed to start pipeline replication to":           slog.LevelDebug,
	"failed to contact":                                 slog.LevelDebug,
	"failed to make requestVote RPC":                    slog.LevelWarn,
	"failed to install snapshot":                        slog.LevelWarn,
	"failed to send snapshot to":                        slog.LevelDebug,
}

type slogSink struct {
	log  *slog.Logger
	mu   sync.Mutex
	said map[string]time.Time // message and node
}

// Accept implements hclog.SinkAdapter.
func (s *slogSink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	var to slog.Level
	switch {
	case level >= hclog.Error:
		to = slog.LevelError
	case level == hclog.Warn:
		to = slog.LevelWarn
	default:
		to = slog.LevelDebug
	}
	if l, ok := raftLevels[msg]; ok {
		if to = l; s.again(msg, args) {
			to = slog.LevelDebug
		}
	}
	s.log.Log(context.Background(), to, "raft: "+msg, args...)
}

// again reports whether a message of a node was logged a short while ago.
func (s *slogSink) again(msg string, args []any) bool {
	key := msg
	for i := 0; i+1 < len(args); i += 2 {
		if args[i] == "peer" || args[i] == "target" || args[i] == "server-id" {
			key += fmt.Sprint(" ", args[i+1])
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Sub(s.said[key]) < sayAgain {
		return true
	}
	if len(s.said) >= maxSaid {
		clear(s.said)
	}
	s.said[key] = now
	return false
}
