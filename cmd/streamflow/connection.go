package main

import (
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
	"github.com/urfave/cli/v2"

	"github.com/streamflow/streamflow/internal/certs"
	"github.com/streamflow/streamflow/internal/usererr"
)

// connectionFlags say how a client command encrypts its connection and logs in.
func connectionFlags() []cli.Flag {
	env := func(name string) []string { return []string{"STREAMFLOW_" + name} }
	const category = "Connection"
	return []cli.Flag{
		&cli.StringFlag{Name: "user", Category: category, EnvVars: env("USER"), Usage: "log in as this `NAME`"},
		&cli.StringFlag{Name: "password-env", Category: category, Value: "STREAMFLOW_PASSWORD", Usage: "environment `VARIABLE` that holds the password, or the token"},
		&cli.StringFlag{Name: "sasl-mechanism", Category: category, EnvVars: env("SASL_MECHANISM"), Value: "SCRAM-SHA-512", Usage: "`MECHANISM` to log in by: PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"},
		&cli.BoolFlag{Name: "tls", Category: category, EnvVars: env("TLS"), Usage: "encrypt the connection; any of the other --tls flags says so too"},
		&cli.StringFlag{Name: "tls-ca", Category: category, EnvVars: env("TLS_CA"), Usage: "`FILE` of the authorities of the node's certificate; the system's without"},
		&cli.StringFlag{Name: "tls-cert", Category: category, EnvVars: env("TLS_CERT"), Usage: "`FILE` of a certificate to show"},
		&cli.StringFlag{Name: "tls-key", Category: category, EnvVars: env("TLS_KEY"), Usage: "`FILE` of its private key"},
		&cli.StringFlag{Name: "tls-server-name", Category: category, EnvVars: env("TLS_SERVER_NAME"), Usage: "`NAME` that the node's certificate must have; the address without"},
	}
}

// withConnection adds the flags of a connection to every command that has --bootstrap.
func withConnection(commands []*cli.Command) []*cli.Command {
	for _, c := range commands {
		withConnection(c.Subcommands)
		if slices.ContainsFunc(c.Flags, func(f cli.Flag) bool { return slices.Contains(f.Names(), "bootstrap") }) {
			c.Flags = append(slices.Clip(c.Flags), connectionFlags()...)
		}
	}
	return commands
}

// connectionOptions are the options of a Kafka client that the flags ask for.
func connectionOptions(c *cli.Context) ([]kgo.Opt, error) {
	var opts []kgo.Opt
	conf, err := clientTLS(c)
	if err != nil {
		return nil, err
	}
	if conf != nil {
		opts = append(opts, kgo.DialTLSConfig(conf))
	}
	mechanism, err := clientLogin(c)
	if mechanism != nil {
		opts = append(opts, kgo.SASL(mechanism))
	}
	return opts, err
}

// clientTLS is how to encrypt; nil when nothing asks for it.
func clientTLS(c *cli.Context) (*tls.Config, error) {
	ca, cert, key, name := c.String("tls-ca"), c.String("tls-cert"), c.String("tls-key"), c.String("tls-server-name")
	if !c.Bool("tls") && ca == "" && cert == "" && key == "" && name == "" {
		return nil, nil
	}
	conf := &tls.Config{ServerName: name, MinVersion: tls.VersionTLS12}
	var err error
	if ca != "" {
		if conf.RootCAs, err = certs.LoadPool(ca); err != nil {
			return nil, err
		}
	}
	if cert == "" && key == "" {
		return conf, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, usererr.New("INVALID_CERTIFICATE", "22023", "The certificate or its key cannot be used: %v.", err).In("--tls-cert").WithFix("Both --tls-cert and --tls-key are wanted.")
	}
	conf.Certificates = []tls.Certificate{pair}
	return conf, nil
}

// clientLogin is how to log in; nil without a user.
func clientLogin(c *cli.Context) (sasl.Mechanism, error) {
	user, mechanism := c.String("user"), strings.ToUpper(c.String("sasl-mechanism"))
	token := mechanism == "OAUTHBEARER"
	if user == "" && !token {
		return nil, nil
	}
	secret := os.Getenv(c.String("password-env"))
	if secret == "" {
		return nil, usererr.New("NO_PASSWORD", "28P01", "The environment variable %s is empty.", c.String("password-env")).
			WithFix("Put the password into it, or name another with --password-env.")
	}
	switch mechanism {
	case "PLAIN":
		return plain.Auth{User: user, Pass: secret}.AsMechanism(), nil
	case "SCRAM-SHA-256":
		return scram.Auth{User: user, Pass: secret}.AsSha256Mechanism(), nil
	case "SCRAM-SHA-512":
		return scram.Auth{User: user, Pass: secret}.AsSha512Mechanism(), nil
	case "OAUTHBEARER":
		return oauth.Auth{Token: secret, Zid: user}.AsMechanism(), nil
	}
	return nil, usage("--sasl-mechanism must be PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, not %q", mechanism)
}

// connectError says why no node could be talked to at addr.
func connectError(addr string, err error) error {
	var certificate *tls.CertificateVerificationError
	var eof *kgo.ErrFirstReadEOF
	var remote *net.OpError
	switch {
	case errors.Is(err, kerr.SaslAuthenticationFailed):
		return usererr.New("LOGIN_REFUSED", "28P01", "The node at %s does not accept the name and the password.", addr).
			WithFix("See --user, --password-env and --sasl-mechanism, and streamflow user list.")
	case errors.Is(err, kerr.UnsupportedSaslMechanism), errors.Is(err, kerr.IllegalSaslState):
		return usererr.New("LOGIN_REFUSED", "28000", "The node at %s does not offer that way of logging in.", addr).
			WithFix("Take another --sasl-mechanism; the node's are in security.sasl.mechanisms.")
	case errors.As(err, &certificate):
		return usererr.New("CERTIFICATE_REFUSED", "08001", "The certificate of %s is not trusted: %v.", addr, certificate.Err).
			WithFix("Name its authority with --tls-ca, or the name in it with --tls-server-name.")
	case errors.As(err, &eof), errors.As(err, &remote) && remote.Op == "remote error": // of the TLS handshake
		return usererr.New("CONNECTION_REFUSED", "08004", "The node at %s ends the connection.", addr).
			WithFix("It may want --tls or --tls-ca, --user, or a certificate: --tls-cert and --tls-key.")
	}
	return nil
}
