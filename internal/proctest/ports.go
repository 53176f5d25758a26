package proctest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreePort is a loopback address that nobody listens on. The port lies below those that the kernel hands to clients: a
// client that dials a dead node again and again from that range would, sooner or later, connect to itself and keep the
// node from coming back.
func FreePort(t testing.TB) string {
	t.Helper()
	for range 200 {
		addr := fmt.Sprintf("127.0.0.1:%d", 16000+rand.IntN(16000))
		l, err := net.Listen("tcp", addr)
		if err == nil {
			l.Close()
			return addr
		}
	}
	t.Fatal("no free port between 16000 and 32000")
	return ""
}
