package auth

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

// issuer signs tokens with one key of each kind.
type issuer struct {
	rsa *rsa.PrivateKey
	ec  *ecdsa.PrivateKey
	ed  ed25519.PrivateKey
}

func newIssuer(t testing.TB) *issuer {
	t.Helper()
	var i issuer
	var err error
	if i.rsa, err = rsa.GenerateKey(rand.Reader, 2048); err != nil {
		t.Fatal(err)
	}
	if i.ec, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	if _, i.ed, err = ed25519.GenerateKey(rand.Reader); err != nil {
		t.Fatal(err)
	}
	return &i
}

func b64(b []byte) string { return base64.RawURLEncoding.EncodeToString(b) }

// jwks is the issuer's key set.
func (i *issuer) jwks() []byte {
	point, _ := i.ec.PublicKey.Bytes()
	out, _ := json.Marshal(map[string]any{"keys": []map[string]string{
		{"kty": "RSA", "kid": "r", "use": "sig", "n": b64(i.rsa.N.Bytes()), "e": b64(big.NewInt(int64(i.rsa.E)).Bytes())},
		{"kty": "EC", "kid": "e", "crv": "P-256", "alg": "ES256", "x": b64(point[1:33]), "y": b64(point[33:])},
		{"kty": "OKP", "kid": "d", "crv": "Ed25519", "x": b64(i.ed.Public().(ed25519.PublicKey))},
		{"kty": "oct", "kid": "s", "k": "AAAA"},
		{"kty": "RSA", "kid": "enc", "use": "enc", "n": b64(i.rsa.N.Bytes()), "e": "AQAB"},
	}})
	return out
}

func claims(change map[string]any) jwt.MapClaims {
	c := jwt.MapClaims{"sub": "alice", "iss": "https://id", "aud": []string{"kafka", "x"}, "exp": noon.Add(time.Minute).Unix(), "scope": "read kafka", "email": "a@b"}
	for k, v := range change {
		if v == nil {
			delete(c, k)
		} else {
			c[k] = v
		}
	}
	return c
}

func sign(t testing.TB, method jwt.SigningMethod, kid string, key any, change map[string]any) string {
	t.Helper()
	tok := jwt.NewWithClaims(method, claims(change))
	if kid != "" {
		tok.Header["kid"] = kid
	}
	s, err := tok.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestTokens(t *testing.T) {
	i, other := newIssuer(t), newIssuer(t)
	keys, err := ParseKeyList(i.jwks())
	if err != nil || len(keys) != 3 {
		t.Fatalf("%d keys, %v", len(keys), err)
	}
	r := &TokenRules{Keys: keys, Issuer: "https://id", Audience: "kafka", Scope: "kafka"}
	publicAsSecret, _ := json.Marshal(i.rsa.PublicKey)
	for name, c := range map[string]struct {
		token string
		want  bool
	}{
		"rsa":                 {sign(t, jwt.SigningMethodRS256, "r", i.rsa, nil), true},
		"rsa pss":             {sign(t, jwt.SigningMethodPS512, "r", i.rsa, nil), true},
		"ecdsa":               {sign(t, jwt.SigningMethodES256, "e", i.ec, nil), true},
		"ed25519":             {sign(t, jwt.SigningMethodEdDSA, "d", crypto.Signer(i.ed), nil), true},
		"other's key":         {sign(t, jwt.SigningMethodRS256, "r", other.rsa, nil), false},
		"unknown key":         {sign(t, jwt.SigningMethodRS256, "q", i.rsa, nil), false},
		"no key id":           {sign(t, jwt.SigningMethodRS256, "", i.rsa, nil), false},
		"key of other kind":   {sign(t, jwt.SigningMethodRS256, "e", i.rsa, nil), false},
		"key for encryption":  {sign(t, jwt.SigningMethodRS256, "enc", i.rsa, nil), false},
		"public key as hmac":  {sign(t, jwt.SigningMethodHS256, "r", publicAsSecret, nil), false},
		"unsecured":           {sign(t, jwt.SigningMethodNone, "", jwt.UnsafeAllowNoneSignatureType, nil), false},
		"expired":             {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"exp": noon.Add(-time.Second).Unix()}), false},
		"without expiry":      {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"exp": nil}), false},
		"not yet":             {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"nbf": noon.Add(time.Hour).Unix()}), false},
		"other issuer":        {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"iss": "https://other"}), false},
		"other audience":      {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"aud": "other"}), false},
		"without the scope":   {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"scope": "kafkaesque"}), false},
		"scopes as a list":    {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"scope": nil, "scp": []string{"kafka"}}), true},
		"nobody":              {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"sub": nil}), false},
		"a number for a name": {sign(t, jwt.SigningMethodRS256, "r", i.rsa, map[string]any{"sub": 7}), false},
		"no token":            {"a.b.c", false},
	} {
		who, err := r.Verify(noon, c.token)
		if (err == nil) != c.want || c.want && (who.User != "alice" || !who.Expires.Equal(noon.Add(time.Minute))) {
			t.Errorf("%s: %v, %v", name, who, err)
		}
		if err != nil && !errors.Is(err, ErrFailed) {
			t.Errorf("%s: %v is no refusal", name, err)
		}
	}
	if who, err := (&TokenRules{Keys: keys, Principal: "email"}).Verify(noon, sign(t, jwt.SigningMethodRS256, "r", i.rsa, nil)); who.User != "a@b" {
		t.Errorf("principal claim: %v %v", who, err)
	}
	if who, err := (&TokenRules{Unsecured: true}).Verify(noon, sign(t, jwt.SigningMethodNone, "", jwt.UnsafeAllowNoneSignatureType, nil)); who.User != "alice" {
		t.Errorf("unsecured where it is allowed: %v %v", who, err)
	}
}

func TestBearerExchange(t *testing.T) {
	i := newIssuer(t)
	keys, _ := ParseKeyList(i.jwks())
	s := NewServer([]Mechanism{OAuthBearer}, nil, &TokenRules{Keys: keys})
	good := sign(t, jwt.SigningMethodRS256, "r", i.rsa, nil)
	for msg, want := range map[string]string{
		"n,,\x01auth=Bearer " + good + "\x01\x01":               "done",
		"n,a=alice,\x01auth=bearer " + good + "\x01x=y\x01\x01": "done",
		"n,a=root,\x01auth=Bearer " + good + "\x01\x01":         "told",
		"n,,\x01auth=Bearer " + good[:len(good)-9] + "\x01\x01": "told",
		"n,,\x01auth=Basic " + good + "\x01\x01":                "failed",
		"p=tls,,\x01auth=Bearer " + good + "\x01\x01":           "failed",
		"n,,\x01host=x\x01\x01":                                 "failed",
		"auth=Bearer " + good:                                   "failed",
	} {
		_, e := s.Start("OAUTHBEARER")
		reply, done, err := e.Next(noon, []byte(msg))
		got := "failed"
		switch {
		case done:
			got = "done"
		case err == nil && string(reply) == refusal:
			if _, done, err = e.Next(noon, []byte{1}); !done && errors.Is(err, ErrFailed) {
				got = "told"
			}
		}
		if got != want {
			t.Errorf("%.30q: %s, want %s (%v)", msg, got, want, err)
		}
	}
}

// TestKeySetFollowsTheIssuer changes the issuer's keys while the set is open.
func TestKeySetFollowsTheIssuer(t *testing.T) {
	first, second := newIssuer(t), newIssuer(t)
	serve, calls := first.jwks(), 0
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls++; _, _ = w.Write(serve) }))
	defer web.Close()
	now := noon
	s, err := OpenKeySet(web.URL, slog.New(slog.DiscardHandler), func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Key("r", "RS256"); err != nil {
		t.Fatal(err)
	}
	serve = []byte(fmt.Sprintf(`{"keys":[%s]}`, second.jwks()[len(`{"keys":[`):len(second.jwks())-len(`]}`)]))
	for range 5 {
		if _, err := s.Key("new", "RS256"); !errors.Is(err, ErrUnknownKey) {
			t.Errorf("a key from nowhere: %v", err)
		}
	}
	if calls != 1 {
		t.Errorf("%d readings within the shortest time", calls)
	}
	now = now.Add(time.Minute)
	if _, err := s.Key("new", "RS256"); !errors.Is(err, ErrUnknownKey) || calls != 2 {
		t.Errorf("%v after %d readings", err, calls)
	}
	k, err := s.Key("r", "RS256")
	if err != nil || k.(*rsa.PublicKey).N.Cmp(second.rsa.N) != 0 {
		t.Error("the new key is not used")
	}
	serve = []byte("broken")
	now = now.Add(2 * time.Hour)
	if _, err := s.Key("r", "RS256"); err != nil {
		t.Errorf("a source that fails takes the keys away: %v", err)
	}
	file := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(file, first.jwks(), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenKeySet("file://"+file, slog.Default(), time.Now); err != nil {
		t.Error(err)
	}
	for _, bad := range []string{"http://id.example.com/keys", file + "x"} {
		if _, err := OpenKeySet(bad, slog.Default(), time.Now); err == nil {
			t.Errorf("%s is taken", bad)
		}
	}
}

func TestKeyListRefuses(t *testing.T) {
	for _, bad := range []string{"", "{}", `{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`, `{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`,
		`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`, `{"keys":[{"kty":"oct","k":"AAAA"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"` + b64(make([]byte, 32)) + `","y":"` + b64(make([]byte, 32)) + `"}]}`} {
		if l, err := ParseKeyList([]byte(bad)); err == nil {
			t.Errorf("%s gives %d keys", bad, len(l))
		}
	}
}

func FuzzBearer(f *testing.F) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		f.Fatal(err)
	}
	expired := sign(f, jwt.SigningMethodEdDSA, "d", crypto.Signer(private), map[string]any{"exp": noon.Add(-time.Hour).Unix()})
	f.Add([]byte("n,a=alice,\x01auth=Bearer " + expired + "\x01\x01"))
	f.Add([]byte("n,,\x01auth=Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.\x01\x01"))
	f.Add([]byte("y,\x01\x01"))
	rules := &TokenRules{Keys: KeyList{{"d", "", public}}}
	f.Fuzz(func(t *testing.T, msg []byte) {
		e := &bearerExchange{rules: rules}
		if _, done, _ := e.Next(noon, msg); done {
			t.Fatalf("logged in by %q", msg)
		}
	})
}

func FuzzKeyList(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"OKP","kid":"d","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},{"kty":"RSA","n":"AQAB","e":"AQAB"}]}`))
	f.Fuzz(func(_ *testing.T, data []byte) {
		if l, err := ParseKeyList(data); err == nil {
			_, _ = l.Key("d", "EdDSA")
		}
	})
}
