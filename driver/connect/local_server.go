package connect

import (
	"context"
	"errors"
	"net"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// localBuffer is the size of the pipe between client and server in one process.
const localBuffer = 1 << 20

// Local serves backends within the process and returns a client of one session of it: embedded programs take the same
// path as remote ones, only the network is left out. Closing the client ends the server and its backends.
func Local(opts Options) (*Client, error) {
	server := NewServer(opts)
	g := server.GRPC()
	pipe := bufconn.Listen(localBuffer)
	served := make(chan error, 1)
	go func() { served <- g.Serve(pipe) }()
	c, err := DialListener(pipe)
	if err != nil {
		g.Stop()
		return nil, errors.Join(err, server.Close())
	}
	c.after = func() error {
		g.Stop()
		<-served
		return server.Close()
	}
	return c, nil
}

// dialer is a listener within the process, such as bufconn's.
type dialer interface {
	DialContext(ctx context.Context) (net.Conn, error)
}

// DialListener opens a session on a server that listens within the process.
func DialListener(pipe dialer) (*Client, error) {
	conn, err := grpc.NewClient("passthrough:///local", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return pipe.DialContext(ctx) }),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxMessage)))
	if err != nil {
		return nil, err
	}
	return newClient(conn, address{userAgent: "streamflow-go", userID: "local"}), nil
}
