package kafka

import (
	"io"
	"net"

	"github.com/streamflow/streamflow/logstore/segment"
)

// sendsFiles tells whether the kernel can send a file's bytes over a connection: plain TCP, where nothing is encrypted here.
func sendsFiles(nc net.Conn) bool {
	_, ok := nc.(*net.TCPConn)
	return ok && canSendFiles
}

// sendRange sends a range of a file.
func sendRange(nc net.Conn, r *segment.Range) error {
	if tcp, ok := nc.(*net.TCPConn); ok && canSendFiles {
		if f, ok := r.File(); ok {
			return sendFile(tcp, f, r.Pos, r.Size)
		}
	}
	_, err := io.CopyBuffer(struct{ io.Writer }{nc}, io.NewSectionReader(r, 0, r.Size), make([]byte, 256<<10))
	return err
}
