package kafka

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/streamflow/streamflow/internal/usererr"
)

// Servers is the option that names a cluster: HOST:PORT, comma separated.
const Servers = "kafka.bootstrap.servers"

// Cluster is how a cluster is reached. It travels to tasks.
type Cluster struct {
	Servers   []string
	TLS       bool
	CA        string // a PEM file of authorities; "" is the system's
	Mechanism string // PLAIN, SCRAM-SHA-256, SCRAM-SHA-512; "" is no login
	User      string
	Password  string
}

// jaas finds user and password in Kafka's sasl.jaas.config.
var jaas = regexp.MustCompile(`\b(username|password)\s*=\s*"([^"]*)"`)

// clusterOf reads Kafka's own options: kafka.bootstrap.servers, kafka.security.protocol, kafka.sasl.mechanism,
// kafka.sasl.jaas.config, kafka.ssl.truststore.location (a PEM file).
func clusterOf(o map[string]string) (Cluster, error) {
	c := Cluster{CA: o["kafka.ssl.truststore.location"]}
	for _, s := range strings.Split(o[Servers], ",") {
		if s = strings.TrimSpace(s); s != "" {
			c.Servers = append(c.Servers, s)
		}
	}
	protocol := strings.ToUpper(o["kafka.security.protocol"])
	switch protocol {
	case "", "PLAINTEXT":
	case "SSL", "SASL_SSL":
		c.TLS = true
	case "SASL_PLAINTEXT":
	default:
		return c, badOption("kafka.security.protocol", "must be PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL, not %q", protocol)
	}
	if !strings.HasPrefix(protocol, "SASL") {
		return c, nil
	}
	c.Mechanism = strings.ToUpper(o["kafka.sasl.mechanism"])
	switch c.Mechanism {
	case "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512":
	default:
		return c, badOption("kafka.sasl.mechanism", "must be PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512, not %q", c.Mechanism)
	}
	for _, m := range jaas.FindAllStringSubmatch(o["kafka.sasl.jaas.config"], -1) {
		if m[1] == "username" {
			c.User = m[2]
		} else {
			c.Password = m[2]
		}
	}
	if c.User == "" {
		return c, badOption("kafka.sasl.jaas.config", `must hold username="…" and password="…"`)
	}
	return c, nil
}

func badOption(name, format string, args ...any) error {
	return usererr.New("INVALID_SOURCE_OPTION", "22023", "The option %s of kafka "+format+".", append([]any{name}, args...)...).In("option " + name)
}

// client connects, with what else the client is for.
func (c *Cluster) client(opts ...kgo.Opt) (*kgo.Client, error) {
	all := []kgo.Opt{kgo.SeedBrokers(c.Servers...), kgo.ClientID("streamflow"), kgo.DialTimeout(10 * time.Second)}
	if c.TLS {
		conf := &tls.Config{MinVersion: tls.VersionTLS12}
		if c.CA != "" {
			pem, err := os.ReadFile(c.CA)
			if err != nil {
				return nil, badOption("kafka.ssl.truststore.location", "cannot be read: %v", err)
			}
			conf.RootCAs = x509.NewCertPool()
			if !conf.RootCAs.AppendCertsFromPEM(pem) {
				return nil, badOption("kafka.ssl.truststore.location", "names %s, which holds no certificate in PEM form", c.CA)
			}
		}
		all = append(all, kgo.DialTLSConfig(conf))
	}
	switch c.Mechanism {
	case "PLAIN":
		all = append(all, kgo.SASL(plain.Auth{User: c.User, Pass: c.Password}.AsMechanism()))
	case "SCRAM-SHA-256":
		all = append(all, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		all = append(all, kgo.SASL(scram.Auth{User: c.User, Pass: c.Password}.AsSha512Mechanism()))
	}
	return kgo.NewClient(append(all, opts...)...)
}

// answerTime is how long the cluster may take to answer a question about a topic.
const answerTime = 30 * time.Second

// unreachable says that a cluster did not answer.
func (c *Cluster) unreachable(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil && ctx.Err() != context.DeadlineExceeded {
		return ctx.Err()
	}
	return fmt.Errorf("kafka: %s at %s: %w", what, strings.Join(c.Servers, ","), err)
}
