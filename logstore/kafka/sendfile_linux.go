package kafka

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
)

const canSendFiles = true

// sendFile sends n bytes of f from pos by sendfile(2): they go from the page cache to the socket without passing through this
// process. The file's own position is not used, so that many may send from one file.
func sendFile(to *net.TCPConn, f *os.File, pos, n int64) error {
	dst, err := to.SyscallConn()
	if err != nil {
		return err
	}
	src, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = src.Control(func(from uintptr) { failed = sendAll(dst, int(from), pos, n) })
	if err == nil {
		err = failed
	}
	if err != nil {
		return fmt.Errorf("send file: %w", err)
	}
	return nil
}

// maxSend is the most that sendfile is asked for at once, so that a connection that is closed is noticed.
const maxSend = 4 << 20

func sendAll(dst syscall.RawConn, from int, pos, n int64) (failed error) {
	err := dst.Write(func(to uintptr) (done bool) {
		for n > 0 {
			sent, err := syscall.Sendfile(int(to), from, &pos, int(min(n, maxSend)))
			n -= int64(max(sent, 0))
			switch {
			case errors.Is(err, syscall.EINTR):
			case errors.Is(err, syscall.EAGAIN):
				return false // until there is room
			case err != nil:
				failed = err
				return true
			case sent == 0:
				failed = io.ErrUnexpectedEOF
				return true
			}
		}
		return true
	})
	if failed == nil {
		failed = err
	}
	return failed
}
