package peer

import (
	"bytes"
	"encoding/hex"
	"os"
	"regexp"
	"strings"
	"testing"
)

// example returns the bytes of a fenced example in docs/format/peer.md.
func example(t *testing.T, fence string) []byte {
	t.Helper()
	doc, err := os.ReadFile("../../docs/format/peer.md")
	if err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile("(?s)```" + fence + "\n(.*?)```").FindSubmatch(doc)
	if m == nil {
		t.Fatalf("no example %q", fence)
	}
	b, err := hex.DecodeString(strings.Join(strings.Fields(string(m[1])), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestDocumentedHandshake(t *testing.T) {
	var nonces [2][nonceSize]byte
	for i := range nonceSize {
		nonces[0][i], nonces[1][i] = byte(i), byte(0x80+i)
	}
	h, err := decodeHello(example(t, "hello"))
	if want := (hello{Raft, 2, nonces[0]}); err != nil || h != want {
		t.Errorf("hello: %+v %v; its bytes should be\n% x", h, err, want.encode())
	}
	c, err := decodeChallenge(example(t, "challenge"))
	if want := (hello{0, 1, nonces[1]}); err != nil || c != want {
		t.Errorf("challenge: %+v %v; its bytes should be\n% x", c, err, want.encode())
	}
	if want := proof([]byte("open sesame"), "dialer", nil, h.encode(), c.encode()); !bytes.Equal(example(t, "answer"), want) {
		t.Errorf("answer: its bytes should be\n% x", want)
	}
	if want := encodeVerdict(accepted, proof([]byte("open sesame"), "listener", nil, h.encode(), c.encode())); !bytes.Equal(example(t, "verdict"), want) {
		t.Errorf("verdict: its bytes should be\n% x", want)
	}
}
