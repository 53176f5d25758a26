package peer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
)

// Protocol is what a connection carries after its handshake.
type Protocol byte

// The protocols between nodes.
const (
	Raft  Protocol = 1
	RPC   Protocol = 2
	Kafka Protocol = 3
)

func (p Protocol) String() string {
	switch p {
	case Raft:
		return "raft"
	case RPC:
		return "rpc"
	case Kafka:
		return "kafka"
	}
	return fmt.Sprintf("protocol %d", byte(p))
}

func (p Protocol) valid() bool { return p >= Raft && p <= Kafka }

// Sizes of the handshake's messages; docs/format/peer.md draws them.
const (
	version       = 1
	nonceSize     = 32
	helloSize     = 4 + 1 + 1 + 2 + 4 + nonceSize
	challengeSize = helloSize
	answerSize    = sha256.Size
	verdictSize   = 4 + sha256.Size
)

var magic = [4]byte{'S', 'F', 'N', 'P'}

var (
	errNotPeer  = errors.New("not a StreamFlow node: the first bytes are no hello")
	errVersion  = errors.New("the handshake's version is not this release's")
	errProtocol = errors.New("unknown protocol")
	errReserved = errors.New("reserved bytes are not zero")
)

// hello is the dialer's first message. A listener's challenge has the same form, with protocol 0.
type hello struct {
	protocol Protocol
	node     int32
	nonce    [nonceSize]byte
}

func (h hello) encode() []byte {
	b := make([]byte, 0, helloSize)
	b = append(b, magic[:]...)
	b = append(b, version, byte(h.protocol), 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(h.node))
	return append(b, h.nonce[:]...)
}

// decodeGreeting reads what a hello and a challenge have in common.
func decodeGreeting(b []byte) (hello, error) {
	if len(b) != helloSize || [4]byte(b) != magic {
		return hello{}, errNotPeer
	}
	if b[4] != version {
		return hello{}, fmt.Errorf("%w: %d, not %d", errVersion, b[4], version)
	}
	if b[6]|b[7] != 0 {
		return hello{}, errReserved
	}
	h := hello{protocol: Protocol(b[5]), node: int32(binary.BigEndian.Uint32(b[8:]))}
	copy(h.nonce[:], b[12:])
	return h, nil
}

func decodeHello(b []byte) (hello, error) {
	h, err := decodeGreeting(b)
	if err == nil && !h.protocol.valid() {
		err = fmt.Errorf("%w: %d", errProtocol, byte(h.protocol))
	}
	return h, err
}

func decodeChallenge(b []byte) (hello, error) {
	h, err := decodeGreeting(b)
	if err == nil && h.protocol != 0 {
		err = fmt.Errorf("%w: %d", errProtocol, byte(h.protocol))
	}
	return h, err
}

// proof is what only a holder of the secret can say about this exchange. side keeps one side's proof from being played back
// as the other's, binding ties it to the TLS session (empty without TLS).
func proof(secret []byte, side string, binding, hello, challenge []byte) []byte {
	m := hmac.New(sha256.New, secret)
	for _, part := range [][]byte{[]byte("streamflow peer 1 " + side), binding, hello, challenge} {
		var n [4]byte
		binary.BigEndian.PutUint32(n[:], uint32(len(part)))
		m.Write(n[:])
		m.Write(part)
	}
	return m.Sum(nil)
}

// Verdicts of a listener.
const (
	accepted      = 0
	refusedSecret = 1
	refusedBusy   = 2
)

// verdict is the listener's last message: a code, and when it is accepted the listener's own proof.
func encodeVerdict(code byte, proof []byte) []byte {
	b := make([]byte, verdictSize)
	b[0] = code
	copy(b[4:], proof)
	return b
}
