package auth

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"
)

// KeySet is an issuer's key list in a file or behind a URL, read again when it has grown old and when a token names a key that
// is not in it. It is a Keys.
type KeySet struct {
	source string
	client *http.Client
	log    *slog.Logger
	now    func() time.Time

	mu   sync.Mutex // held while reading: those who wait use what was read
	keys KeyList
	read time.Time
}

const (
	keysMaxAge   = time.Hour
	keysMinAge   = 10 * time.Second // between two readings
	keysTimeout  = 5 * time.Second
	keysMaxBytes = 1 << 20
)

// OpenKeySet reads the keys at source: a path, a file URL, or an https URL (http on this machine only).
func OpenKeySet(source string, log *slog.Logger, now func() time.Time) (*KeySet, error) {
	s := &KeySet{source: source, client: &http.Client{Timeout: keysTimeout}, log: log, now: now}
	if err := checkSource(source); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s, s.load()
}

// checkSource refuses keys that somebody on the way could exchange.
func checkSource(source string) error {
	if !strings.HasPrefix(source, "http://") {
		return nil
	}
	u, err := url.Parse(source)
	if err != nil {
		return fmt.Errorf("keys of tokens: %w", err)
	}
	if h := u.Hostname(); h != "localhost" && h != "127.0.0.1" && h != "::1" {
		return fmt.Errorf("keys of tokens: %s is not encrypted; take https", source)
	}
	return nil
}

// Key implements Keys.
func (s *KeySet) Key(id, alg string) (any, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.now().Sub(s.read) > keysMaxAge {
		s.reload()
	}
	k, err := s.keys.Key(id, alg)
	if errors.Is(err, ErrUnknownKey) && s.now().Sub(s.read) > keysMinAge {
		s.reload()
		k, err = s.keys.Key(id, alg)
	}
	return k, err
}

// reload keeps the old keys when the source cannot be read.
func (s *KeySet) reload() {
	if err := s.load(); err != nil {
		s.read = s.now()
		s.log.Warn("keys of tokens could not be read; the old ones stay", "source", s.source, "err", err)
	}
}

func (s *KeySet) load() error {
	data, err := s.fetch()
	if err != nil {
		return fmt.Errorf("keys of tokens: %w", err)
	}
	keys, err := ParseKeyList(data)
	if err != nil {
		return fmt.Errorf("keys of tokens: %s: %w", s.source, err)
	}
	s.keys, s.read = keys, s.now()
	return nil
}

func (s *KeySet) fetch() ([]byte, error) {
	if !strings.HasPrefix(s.source, "http://") && !strings.HasPrefix(s.source, "https://") {
		return os.ReadFile(strings.TrimPrefix(s.source, "file://"))
	}
	resp, err := s.client.Get(s.source)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("GET %s: %s", s.source, resp.Status)
	}
	return io.ReadAll(io.LimitReader(resp.Body, keysMaxBytes))
}
