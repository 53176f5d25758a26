package kafka

import (
	"bytes"
	"crypto/rand"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
)

// TestSendFile sends parts of a file over TCP to a reader that is slow, so that the socket fills up.
func TestSendFile(t *testing.T) {
	if !canSendFiles {
		t.Skip("skipped: no sendfile here")
	}
	data := make([]byte, 9<<20)
	_, _ = rand.Read(data)
	name := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(name, data, 0o644); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	failed := make(chan error, 1)
	go func() {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			defer nc.Close()
			tcp := nc.(*net.TCPConn)
			if err = sendFile(tcp, f, 100, 8<<20); err == nil {
				err = sendFile(tcp, f, 7, 13)
			}
		}
		failed <- err
	}()
	nc, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	got, err := io.ReadAll(nc)
	if err != nil {
		t.Fatal(err)
	}
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	if want := append(bytes.Clone(data[100:100+8<<20]), data[7:20]...); !bytes.Equal(got, want) {
		t.Errorf("%d bytes arrived, or others than %d were sent", len(got), len(want))
	}
	closed, _ := net.Dial("tcp", l.Addr().String())
	closed.Close()
	if err := sendFile(closed.(*net.TCPConn), f, 0, 100); err == nil {
		t.Error("a closed connection takes a file")
	}
	end := make(chan error, 1)
	go func() {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			defer nc.Close()
			err = sendFile(nc.(*net.TCPConn), f, int64(len(data))-5, 10)
		}
		end <- err
	}()
	if nc, err := l.Accept(); err == nil {
		_, _ = io.ReadAll(nc)
	}
	if err := <-end; err == nil {
		t.Error("more bytes were sent than the file has")
	}
}
