package peer

import (
	"context"
	"fmt"
	"log/slog"
	"net"
)

// Dialer opens connections to other nodes.
type Dialer struct{ opts Options }

// NewDialer returns a dialer for a node.
func NewDialer(opts Options) *Dialer {
	if opts.Logger == nil {
		opts.Logger = slog.Default()
	}
	if opts.DialContext == nil {
		opts.DialContext = (&net.Dialer{}).DialContext
	}
	return &Dialer{opts}
}

// Dial connects to the node at addr and proves both sides to each other. The connection is a *Conn.
func (d *Dialer) Dial(ctx context.Context, addr string, proto Protocol) (net.Conn, error) {
	raw, err := d.opts.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("peer: dial %s: %w", addr, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = raw.Close() })
	c, err := offer(ctx, raw, d.opts, addr, proto)
	if !stop() && err == nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		_ = raw.Close()
		return nil, fmt.Errorf("peer: handshake with %s: %w", addr, err)
	}
	return c, nil
}
