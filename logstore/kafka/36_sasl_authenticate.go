package kafka

import (
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// saslAuthenticate carries a message of the mechanism (KIP-152). The last response tells how long the session lives; a client
// that logs in again before then keeps its connection (KIP-368). A refusal is the same whatever its reason.
func (c *call) saslAuthenticate(req *kmsg.SASLAuthenticateRequest) (kmsg.Response, error) {
	resp := req.ResponseKind().(*kmsg.SASLAuthenticateResponse)
	l := &c.conn.login
	if l.exchange == nil || l.raw {
		err := withMessage(kerr.IllegalSaslState, "SaslHandshake comes first")
		l.failed, resp.ErrorCode, resp.ErrorMessage = true, code(err), message(err)
		return resp, nil
	}
	reply, err := c.conn.logIn(req.SASLAuthBytes)
	if err != nil {
		text := auth.ErrFailed.Error() + " with SASL mechanism " + string(l.mechanism)
		resp.ErrorCode, resp.ErrorMessage = kerr.SaslAuthenticationFailed.Code, &text
		return resp, nil
	}
	if resp.SASLAuthBytes = reply; reply == nil {
		resp.SASLAuthBytes = []byte{}
	}
	if end := l.expires.Load(); end != 0 && l.exchange == nil {
		resp.SessionLifetimeMillis = max(1, end-c.opts.Now().UnixMilli())
	}
	return resp, nil
}
