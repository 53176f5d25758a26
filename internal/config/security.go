package config

import (
	"fmt"
	"strings"
	"time"
)

// Security is what a node asks of its clients.
type Security struct {
	TLSCert       string
	TLSKey        string
	TLSClientCA   string
	TLSClientAuth string
	NameRules     string

	Mechanisms      []string
	UsersFile       string
	SessionLifetime time.Duration // 0: sessions do not end

	TokenKeys      string
	TokenIssuer    string
	TokenAudience  string
	TokenScope     string
	TokenPrincipal string
	TokenUnsecured bool

	ACL         bool
	SuperUsers  []string
	AllowIfNone bool
}

var securitySettings = []Setting{
	{"security.tls.cert", "", "Certificate of the node, PEM. With it and its key, all that clients reach is encrypted (TLS 1.2 and 1.3). Read again when it changes, and on SIGHUP.", text(func(c *Config) *string { return &c.Security.TLSCert })},
	{"security.tls.key", "", "Private key of the certificate, PEM.", text(func(c *Config) *string { return &c.Security.TLSKey })},
	{"security.tls.client_ca", "", "Authorities of clients' certificates, PEM.", text(func(c *Config) *string { return &c.Security.TLSClientCA })},
	{"security.tls.client_auth", "none", "Whether clients show certificates: none, requested, required.", oneOf(func(c *Config) *string { return &c.Security.TLSClientAuth }, "none", "requested", "required")},
	{"security.tls.principal_mapping_rules", "DEFAULT", "How a certificate's subject becomes a user's name, as Kafka's `ssl.principal.mapping.rules`: `RULE:^CN=([^,]+).*$/$1/L,DEFAULT`.", text(func(c *Config) *string { return &c.Security.NameRules })},
	{"security.sasl.mechanisms", "", "How Kafka clients log in, of PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER, separated by commas. Without, they do not.", words(func(c *Config) *[]string { return &c.Security.Mechanisms })},
	{"security.sasl.users_file", "", "File with users of this node, a line each: `name:password`, or `name:` and what `streamflow user hash` prints. They come before those added with `streamflow user add`. Read again when it changes, and on SIGHUP.", text(func(c *Config) *string { return &c.Security.UsersFile })},
	{"security.sasl.session_lifetime", "0s", "After this time Kafka clients log in again, on the same connection; 0s is never. Sessions of tokens end with their token in any case.", optional(func(c *Config) *time.Duration { return &c.Security.SessionLifetime })},
	{"security.sasl.oauth.jwks", "", "Keys of the tokens' issuer, a JSON web key set: a file, or an https URL.", text(func(c *Config) *string { return &c.Security.TokenKeys })},
	{"security.sasl.oauth.issuer", "", "The issuer that tokens must be of.", text(func(c *Config) *string { return &c.Security.TokenIssuer })},
	{"security.sasl.oauth.audience", "", "The audience that tokens must be for.", text(func(c *Config) *string { return &c.Security.TokenAudience })},
	{"security.sasl.oauth.scope", "", "The scope that tokens must grant; empty asks for none.", text(func(c *Config) *string { return &c.Security.TokenScope })},
	{"security.sasl.oauth.principal_claim", "sub", "The claim that names the user.", text(func(c *Config) *string { return &c.Security.TokenPrincipal })},
	{"security.sasl.oauth.allow_unsecured", "false", "Take tokens that nobody has signed. For tests only.", flag(func(c *Config) *bool { return &c.Security.TokenUnsecured })},
	{"security.acl.enabled", "false", "Whether access control lists are enforced. Then nobody may do anything that no binding allows, but super users.", flag(func(c *Config) *bool { return &c.Security.ACL })},
	{"security.acl.super_users", "", "Principals that may do everything, such as `User:admin`, separated by commas, or by semicolons where names have commas.", words(func(c *Config) *[]string { return &c.Security.SuperUsers })},
	{"security.acl.allow_everyone_if_none", "false", "Let everybody use what no binding is for, as Kafka's `allow.everyone.if.no.acl.found`.", flag(func(c *Config) *bool { return &c.Security.AllowIfNone })},
}

// words is a list between commas, or between semicolons if there is one; a YAML list serves too.
func words(field func(*Config) *[]string) setter {
	return func(c *Config, s string) error {
		sep := ","
		if strings.Contains(s, ";") {
			sep = ";"
		}
		*field(c) = nil
		for w := range strings.SplitSeq(strings.Trim(strings.TrimSpace(s), "[]"), sep) {
			if w = strings.Trim(strings.TrimSpace(w), `"'`); w != "" {
				*field(c) = append(*field(c), w)
			}
		}
		return nil
	}
}

// optional is a duration that may be 0.
func optional(field func(*Config) *time.Duration) setter {
	return func(c *Config, s string) error {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return fmt.Errorf("must be a duration such as 30s, 10m or 24h, or 0s")
		}
		*field(c) = d
		return nil
	}
}
