package rpc

import (
	"context"
	"encoding/json"
	"errors"
	"sort"
	"sync"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Errors of a call itself.
var (
	// ErrUnreachable says that a node could not be asked. It has not seen the question.
	ErrUnreachable = errors.New("node not reachable")
	// ErrConnectionLost says that the connection broke before the answer came. The node may have seen the question.
	ErrConnectionLost = errors.New("connection lost before the answer came")
	// ErrNoAnswer says that a node has no handler for the question.
	ErrNoAnswer = errors.New("the node has no answer to this kind of question")
)

var registry = struct {
	sync.RWMutex
	byCode map[string]error
}{byCode: map[string]error{
	"no_answer":         ErrNoAnswer,
	"canceled":          context.Canceled,
	"deadline_exceeded": context.DeadlineExceeded,
}}

// Register gives a sentinel a name by which it crosses the wire. Every node must register the same; a name is registered once.
func Register(code string, err error) {
	registry.Lock()
	defer registry.Unlock()
	if had := registry.byCode[code]; had != nil && had != err { //nolint:errorlint // identity is meant
		panic("BUG: error code " + code + " is registered twice")
	}
	registry.byCode[code] = err
}

// wireError is an error on the wire.
type wireError struct {
	Text  string         `json:"text"`
	Codes []string       `json:"codes,omitempty"` // of the registered sentinels in it
	User  *usererr.Error `json:"user,omitempty"`
}

// EncodeError is err as bytes: a function of err alone.
func EncodeError(err error) []byte {
	w := wireError{Text: err.Error()}
	registry.RLock()
	for code, sentinel := range registry.byCode {
		if errors.Is(err, sentinel) {
			w.Codes = append(w.Codes, code)
		}
	}
	registry.RUnlock()
	sort.Strings(w.Codes)
	if u, ok := errors.AsType[*usererr.Error](err); ok {
		w.User = u
	}
	b, _ := json.Marshal(w) // strings and ints only
	return b
}

// DecodeError is the inverse of EncodeError, as far as an error can come back.
func DecodeError(b []byte) error {
	var w wireError
	if err := json.Unmarshal(b, &w); err != nil {
		return errors.New("an error that cannot be read: " + err.Error())
	}
	if w.User != nil && len(w.Codes) == 0 && w.Text == w.User.Error() {
		return w.User
	}
	e := &remoteError{text: w.Text}
	if w.User != nil {
		e.parts = append(e.parts, w.User)
	}
	registry.RLock()
	defer registry.RUnlock()
	for _, code := range w.Codes {
		if sentinel := registry.byCode[code]; sentinel != nil {
			e.parts = append(e.parts, sentinel)
		}
	}
	return e
}

// remoteError is an error that came from another node.
type remoteError struct {
	text  string
	parts []error
}

func (e *remoteError) Error() string   { return e.text }
func (e *remoteError) Unwrap() []error { return e.parts }
