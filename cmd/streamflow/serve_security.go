package main

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/streamflow/streamflow"
	"github.com/streamflow/streamflow/internal/certs"
	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/streamflow/streamflow/logstore/kafka"
	"github.com/streamflow/streamflow/logstore/quota"
)

// security is what the node asks of its clients, as configured.
type security struct {
	conf       *config.Security
	log        *slog.Logger
	tls        *certs.Live // nil: nothing is encrypted
	rules      auth.NameRules
	mechanisms []auth.Mechanism
	tokens     *auth.TokenRules
	supers     []acl.Principal
	users      auth.FileUsers
	usersRead  time.Time // modification time of the file when it was read
	directory  *auth.Directory
}

// openSecurity reads all that the configuration names, so that mistakes are told before the node starts.
func openSecurity(conf *config.Config, log *slog.Logger) (*security, error) {
	s := &security{conf: &conf.Security, log: log}
	for _, step := range []func() error{s.openTLS, s.openMechanisms, s.openTokens, s.openACL, s.readUsers} {
		if err := step(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func invalidKey(key, format string, args ...any) error {
	return usererr.New("INVALID_CONFIG_VALUE", "22023", format, args...).In(key).WithFix("See docs/guide/security.md.")
}

var clientAuth = map[string]tls.ClientAuthType{"none": tls.NoClientCert, "requested": tls.VerifyClientCertIfGiven, "required": tls.RequireAndVerifyClientCert}

func (s *security) openTLS() (err error) {
	c := s.conf
	if s.rules, err = auth.ParseNameRules(c.NameRules); err != nil {
		return invalidKey("security.tls.principal_mapping_rules", "The rules cannot be read: %v.", err)
	}
	if c.TLSCert == "" && c.TLSKey == "" {
		if c.TLSClientAuth != "none" || c.TLSClientCA != "" {
			return invalidKey("security.tls.cert", "Clients are asked for certificates, but the node has none.")
		}
		return nil
	}
	if c.TLSClientAuth != "none" && c.TLSClientCA == "" {
		return invalidKey("security.tls.client_ca", "Clients are asked for certificates, but of which authority is not said.")
	}
	s.tls, err = certs.Open(certs.Files{Cert: c.TLSCert, Key: c.TLSKey, ClientCA: c.TLSClientCA, Clients: clientAuth[c.TLSClientAuth]})
	return err
}

func (s *security) openMechanisms() error {
	for _, name := range s.conf.Mechanisms {
		m, err := auth.ParseMechanism(name)
		if err != nil {
			return invalidKey("security.sasl.mechanisms", "%v.", err)
		}
		s.mechanisms = append(s.mechanisms, m)
	}
	return nil
}

func (s *security) openTokens() error {
	c := s.conf
	wanted := false
	for _, m := range s.mechanisms {
		wanted = wanted || m == auth.OAuthBearer
	}
	if !wanted {
		return nil
	}
	s.tokens = &auth.TokenRules{Issuer: c.TokenIssuer, Audience: c.TokenAudience, Scope: c.TokenScope, Principal: c.TokenPrincipal, Leeway: 30 * time.Second, Unsecured: c.TokenUnsecured}
	if c.TokenKeys == "" {
		if c.TokenUnsecured {
			return nil
		}
		return invalidKey("security.sasl.oauth.jwks", "OAUTHBEARER wants the keys of the tokens' issuer.")
	}
	keys, err := auth.OpenKeySet(c.TokenKeys, s.log, time.Now)
	if err != nil {
		return invalidKey("security.sasl.oauth.jwks", "%v.", err)
	}
	s.tokens.Keys = keys
	return nil
}

func (s *security) openACL() error {
	for _, name := range s.conf.SuperUsers {
		p, err := acl.ParsePrincipal(name)
		if err != nil {
			return invalidKey("security.acl.super_users", "%v.", err)
		}
		s.supers = append(s.supers, p)
	}
	return nil
}

// readUsers reads the users file, if there is one.
func (s *security) readUsers() error {
	path := s.conf.UsersFile
	if path == "" {
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return invalidKey("security.sasl.users_file", "The users cannot be read: %v.", err)
	}
	s.usersRead = info.ModTime()
	text, err := os.ReadFile(path)
	if err != nil {
		return invalidKey("security.sasl.users_file", "The users cannot be read: %v.", err)
	}
	users, err := auth.ParseUsers(string(text))
	if err != nil {
		return usererr.New("INVALID_USERS_FILE", "22023", "The users cannot be read: %v.", err).In(path).WithFix("Each line is name:password, or what streamflow user hash prints.")
	}
	if info.Mode().Perm()&0o077 != 0 {
		s.log.Warn("the users file can be read by others than its owner", "path", path, "mode", info.Mode().Perm())
	}
	if s.users = users; s.directory != nil {
		s.directory.SetFile(users)
	}
	return nil
}

// kafka adds to a server's options what it asks of clients.
func (s *security) kafka(node *streamflow.Node, o kafka.Options) kafka.Options {
	held := node.Security()
	o.Users, o.ACLs, o.Quotas = held.Users, held.ACLs, quota.NewMeter(held.Quotas)
	o.NameRules, o.SessionLifetime = s.rules, s.conf.SessionLifetime
	if s.tls != nil {
		o.TLS = s.tls.Config()
	}
	if len(s.mechanisms) > 0 {
		s.directory = auth.NewDirectory(held.Users)
		s.directory.SetFile(s.users)
		o.Auth = auth.NewServer(s.mechanisms, s.directory, s.tokens)
	}
	if s.conf.ACL {
		o.Authorizer = &acl.Authorizer{Source: held.ACLs, SuperUsers: s.supers, AllowIfNone: s.conf.AllowIfNone}
	}
	return o
}

// encrypted is a listener whose connections are encrypted, if any are.
func (s *security) encrypted(l net.Listener, protocol string) net.Listener {
	if s.tls == nil {
		return l
	}
	return tls.NewListener(l, s.tls.Config(protocol))
}

// guarded says whether the clients of an address are encrypted and asked who they are.
func guarded(conf *config.Config, key string) bool {
	c := &conf.Security
	return c.TLSCert != "" && (c.TLSClientAuth == "required" || key == "network.kafka" && len(c.Mechanisms) > 0)
}

// followEvery is how often files are looked at for changes.
const followEvery = 5 * time.Second

// follow reads certificates and users again when they have changed, and on SIGHUP.
func (s *security) follow(ctx context.Context) {
	hup := make(chan os.Signal, 1)
	signal.Notify(hup, syscall.SIGHUP)
	defer signal.Stop(hup)
	tick := time.NewTicker(followEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hup:
			s.reload(true)
		case <-tick.C:
			s.reload(false)
		}
	}
}

func (s *security) reload(all bool) {
	if s.tls != nil && (all || s.tls.Changed()) {
		s.told("certificates", s.tls.Reload())
	}
	if s.conf.UsersFile == "" {
		return
	}
	if info, err := os.Stat(s.conf.UsersFile); all || err == nil && !info.ModTime().Equal(s.usersRead) {
		s.told("users", s.readUsers())
	}
}

func (s *security) told(what string, err error) {
	if err != nil {
		s.log.Error("security: "+what+" cannot be read again; what was read before stays", "err", err)
		return
	}
	s.log.Info("security: " + what + " read again")
}
