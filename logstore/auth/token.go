package auth

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TokenRules say which tokens hold: JWTs (RFC 7519) that a known key has signed, from the issuer and for the audience, not
// expired.
type TokenRules struct {
	Keys      Keys          // of the issuer
	Issuer    string        // required; empty: any
	Audience  string        // required; empty: any
	Scope     string        // that the token must grant; empty: none
	Principal string        // the claim that names the user; empty: sub
	Leeway    time.Duration // of clocks that disagree
	Unsecured bool          // take tokens that nobody has signed: for tests only
}

// Keys finds the key that has signed a token. Key ids that are not known may be looked up anew.
type Keys interface {
	Key(id, alg string) (any, error)
}

// algorithms are the signatures taken: with public keys only, since a shared secret would let each broker make tokens.
var algorithms = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// maxToken bounds a token, in bytes.
const maxToken = 32 << 10

// Verify returns whom a token is of.
func (r *TokenRules) Verify(now time.Time, token string) (Identity, error) {
	if len(token) > maxToken {
		return Identity{}, failed("token of %d bytes", len(token))
	}
	claims := jwt.MapClaims{}
	if _, err := r.parser(now).ParseWithClaims(token, claims, r.key); err != nil {
		return Identity{}, failed("token: %v", err)
	}
	if r.Scope != "" && !slices.Contains(scopes(claims), r.Scope) {
		return Identity{}, failed("the token does not grant %q", r.Scope)
	}
	name := r.Principal
	if name == "" {
		name = "sub"
	}
	user, ok := claims[name].(string)
	if !ok || user == "" || len(user) > MaxUserName {
		return Identity{}, failed("the token's claim %q names nobody", name)
	}
	exp, err := claims.GetExpirationTime()
	if err != nil || exp == nil {
		return Identity{}, failed("the token does not expire")
	}
	return Identity{User: user, Expires: exp.Time}, nil
}

func (r *TokenRules) parser(now time.Time) *jwt.Parser {
	methods := algorithms
	if r.Unsecured {
		methods = append(slices.Clone(methods), "none")
	}
	opts := []jwt.ParserOption{jwt.WithValidMethods(methods), jwt.WithExpirationRequired(), jwt.WithLeeway(r.Leeway), jwt.WithTimeFunc(func() time.Time { return now })}
	if r.Issuer != "" {
		opts = append(opts, jwt.WithIssuer(r.Issuer))
	}
	if r.Audience != "" {
		opts = append(opts, jwt.WithAudience(r.Audience))
	}
	return jwt.NewParser(opts...)
}

func (r *TokenRules) key(t *jwt.Token) (any, error) {
	alg := t.Method.Alg()
	if alg == "none" {
		return jwt.UnsafeAllowNoneSignatureType, nil // the parser has let it through, so Unsecured is set
	}
	if r.Keys == nil {
		return nil, fmt.Errorf("no keys are configured")
	}
	id, _ := t.Header["kid"].(string)
	return r.Keys.Key(id, alg)
}

// scopes are those a token grants: "scope" as words (RFC 8693), or "scp" or "scope" as a list.
func scopes(claims jwt.MapClaims) []string {
	var out []string
	for _, name := range []string{"scope", "scp"} {
		switch v := claims[name].(type) {
		case string:
			out = append(out, strings.Fields(v)...)
		case []any:
			for _, s := range v {
				if s, ok := s.(string); ok {
					out = append(out, s)
				}
			}
		}
	}
	return out
}
