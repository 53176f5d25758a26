package auth

import (
	"bytes"
	"strings"
	"time"
)

// bearerExchange is OAUTHBEARER (RFC 7628):
//
//	client  n,[a=authzid],^Aauth=Bearer token^A[key=value^A…]^A
//	server  nothing, or {"status":"invalid_token"}, which the client answers with ^A before it is told that it failed
type bearerExchange struct {
	rules   *TokenRules
	who     Identity
	refused error
}

// refusal is what RFC 7628 (section 3.2.2) answers a token that does not hold.
const refusal = `{"status":"invalid_token"}`

func (b *bearerExchange) Next(now time.Time, msg []byte) ([]byte, bool, error) {
	if b.refused != nil {
		return nil, false, b.refused
	}
	authzid, token, err := parseBearer(msg)
	if err != nil {
		return nil, false, err
	}
	b.who, err = b.rules.Verify(now, token)
	if err == nil && authzid != "" && authzid != b.who.User {
		err = failed("the token is of %q, who asks to be %q", b.who.User, authzid)
	}
	if err != nil {
		b.refused = err
		return []byte(refusal), false, nil
	}
	return nil, true, nil
}

func (b *bearerExchange) Identity() Identity { return b.who }

func parseBearer(msg []byte) (authzid, token string, err error) {
	header, rest, ok := bytes.Cut(msg, []byte{1})
	flag, as, ok2 := strings.Cut(strings.TrimSuffix(string(header), ","), ",")
	if !ok || flag != "n" && flag != "y" {
		return "", "", failed("OAUTHBEARER header %.20q", header)
	}
	if ok2 && as != "" {
		if authzid, ok = unescape(strings.TrimPrefix(as, "a=")); !ok || !strings.HasPrefix(as, "a=") {
			return "", "", failed("OAUTHBEARER header %.20q", header)
		}
	}
	for kv := range bytes.SplitSeq(rest, []byte{1}) {
		v, ok := bytes.CutPrefix(kv, []byte("auth="))
		if !ok {
			continue
		}
		scheme, tok, _ := strings.Cut(string(v), " ")
		if token = strings.TrimSpace(tok); !strings.EqualFold(scheme, "Bearer") || token == "" {
			return "", "", failed("OAUTHBEARER with scheme %.20q", scheme)
		}
		return authzid, token, nil
	}
	return "", "", failed("OAUTHBEARER without a token")
}
