package replicator

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kbin"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// fetchVersion is the version of Fetch that is spoken between nodes: topics by id, ReplicaState, diverging epochs.
const fetchVersion = 17

// maxResponse is the largest response that is read. A leader goes beyond what it was asked for by one batch at most.
const maxResponse = 256 << 20

// link is a connection to a leader.
type link struct {
	nc   net.Conn
	r    *bufio.Reader
	out  []byte
	in   []byte
	corr int32
	form *kmsg.RequestFormatter
}

func newLink(nc net.Conn) *link {
	return &link{nc: nc, r: bufio.NewReaderSize(nc, 64<<10), form: kmsg.NewRequestFormatter(kmsg.FormatterClientID("replicator"))}
}

// ask sends a fetch and reads the response. Its records are valid until the next ask. The leader may hold it for patience.
func (l *link) ask(req *kmsg.FetchRequest, patience time.Duration) (*kmsg.FetchResponse, error) {
	l.corr++
	l.out = l.form.AppendRequest(l.out[:0], req, l.corr)
	if err := l.nc.SetDeadline(time.Now().Add(patience + answerTime)); err != nil {
		return nil, err
	}
	if _, err := l.nc.Write(l.out); err != nil {
		return nil, err
	}
	body, err := l.read()
	if err != nil {
		return nil, err
	}
	resp := kmsg.NewPtrFetchResponse()
	resp.SetVersion(req.Version)
	if err := resp.ReadFrom(body); err != nil {
		return nil, fmt.Errorf("fetch response: %w", err)
	}
	return resp, nil
}

// answerTime is how long a leader may take to answer beyond what it was told to wait.
const answerTime = 10 * time.Second

func (l *link) read() ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(l.r, head[:]); err != nil {
		return nil, err
	}
	size := int64(binary.BigEndian.Uint32(head[:]))
	if size < 5 || size > maxResponse {
		return nil, fmt.Errorf("fetch response of %d bytes", size)
	}
	if int64(cap(l.in)) < size {
		l.in = make([]byte, size)
	}
	l.in = l.in[:size]
	if _, err := io.ReadFull(l.r, l.in); err != nil {
		return nil, err
	}
	if got := int32(binary.BigEndian.Uint32(l.in)); got != l.corr {
		return nil, fmt.Errorf("response to request %d, asked was %d", got, l.corr)
	}
	b := kbin.Reader{Src: l.in[4:]}
	kmsg.SkipTags(&b)
	if err := b.Complete(); err != nil {
		return nil, fmt.Errorf("fetch response: %w", err)
	}
	return b.Src, nil
}
