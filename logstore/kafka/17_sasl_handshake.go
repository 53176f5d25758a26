package kafka

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// saslHandshake begins a login by the mechanism that the client names (KIP-43). After version 0 the mechanism's messages come
// without headers, after version 1 in SaslAuthenticate requests (KIP-152).
func (c *call) saslHandshake(req *kmsg.SASLHandshakeRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.SASLHandshakeResponse)
	l := &c.conn.login
	if !l.needed || l.exchange != nil || req.Version == 0 && l.done.Load() {
		resp.ErrorCode = kerr.IllegalSaslState.Code
		return resp, nil
	}
	for _, m := range c.opts.Auth.Mechanisms() {
		resp.SupportedMechanisms = append(resp.SupportedMechanisms, string(m))
	}
	m, exchange := c.opts.Auth.Start(req.Mechanism)
	if exchange == nil || l.done.Load() && m != l.mechanism {
		resp.ErrorCode = kerr.UnsupportedSaslMechanism.Code
		l.failed = true
		c.events.warn("mechanism not offered", "host", c.conn.id.host, "mechanism", req.Mechanism)
		return resp, nil
	}
	l.mechanism, l.exchange, l.raw = m, exchange, req.Version == 0
	return resp, nil
}
