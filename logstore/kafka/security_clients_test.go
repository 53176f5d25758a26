package kafka

import (
	"bytes"
	"context"
	"crypto/tls"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/twmb/franz-go/pkg/kadm"
)

// TestKcatLogsIn has kcat (librdkafka 2.0) log in by every mechanism over TLS, and without a right, a password or encryption.
func TestKcatLogsIn(t *testing.T) {
	if _, err := exec.LookPath("kcat"); err != nil {
		t.Skip("skipped: kcat is not installed; scripts/foreign-clients.sh installs it")
	}
	ca := newTestCA(t)
	n := startSecure(t, func(o *Options) { o.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue("node")}} })
	n.tls = &tls.Config{RootCAs: ca.pool}
	n.create("orders", 1, nil)
	n.addUser("alice")
	n.allow(kadm.NewACLs().Topics("orders").Groups("g").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpRead, kadm.OpWrite).Allow("User:alice").AllowHosts())
	n.allow(kadm.NewACLs().Topics("orders").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpWrite).Allow("User:alice").AllowHosts())
	for _, mechanism := range []string{"PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"} {
		login := []string{"-X", "security.protocol=SASL_SSL", "-X", "ssl.ca.location=" + ca.file, "-X", "sasl.mechanism=" + mechanism, "-X", "sasl.username=alice"}
		good := append(login, "-X", "sasl.password=alice")
		if out, err := kcat(t, n, "x\n", append(good, "-P", "-t", "orders", "-p", "0")...); err != nil {
			t.Errorf("%s: produce: %v\n%s", mechanism, err, out)
		}
		if out, err := kcat(t, n, "", append(good, "-C", "-t", "orders", "-p", "0", "-o", "beginning", "-c", "1", "-q")...); err != nil || strings.TrimSpace(out) != "x" {
			t.Errorf("%s: consume: %v\n%s", mechanism, err, out)
		}
		if out, err := kcat(t, n, "x\n", append(login, "-X", "sasl.password=bob", "-L", "-m", "2")...); err == nil || !strings.Contains(out, "authentication failed") {
			t.Errorf("%s: wrong password: %v\n%s", mechanism, err, out)
		}
		if out, err := kcat(t, n, "x\n", append(good, "-P", "-t", "secret", "-p", "0", "-X", "message.timeout.ms=3000")...); err == nil && !strings.Contains(out, "authorization failed") {
			t.Errorf("%s: a topic without right: %v\n%s", mechanism, err, out)
		}
	}
	if out, err := kcat(t, n, "", "-L", "-m", "2"); err == nil {
		t.Errorf("without encryption:\n%s", out)
	}
}

// kcat runs kcat against a node; out has both of its outputs.
func kcat(t *testing.T, n *node, stdin string, args ...string) (out string, err error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "kcat", append([]string{"-b", n.addr}, args...)...)
	var both bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &both, &both
	err = cmd.Run()
	return both.String(), err
}

// TestKcatShowsCertificate names kcat by its certificate.
func TestKcatShowsCertificate(t *testing.T) {
	if _, err := exec.LookPath("kcat"); err != nil {
		t.Skip("skipped: kcat is not installed; scripts/foreign-clients.sh installs it")
	}
	ca := newTestCA(t)
	rules, err := auth.ParseNameRules(`RULE:^.*CN=([^,]*).*$/$1/,DEFAULT`)
	if err != nil {
		t.Fatal(err)
	}
	n := startSecure(t, func(o *Options) {
		o.Auth, o.NameRules = nil, rules
		o.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue("node")}, ClientCAs: ca.pool, ClientAuth: tls.RequireAndVerifyClientCert}
	})
	n.create("orders", 1, nil)
	ca.issue("root")
	tlsOnly := []string{"-X", "security.protocol=SSL", "-X", "ssl.ca.location=" + ca.file}
	shown := append(tlsOnly, "-X", "ssl.certificate.location="+filepath.Join(ca.dir, "root.pem"), "-X", "ssl.key.location="+filepath.Join(ca.dir, "root-key.pem"))
	if out, err := kcat(t, n, "x\n", append(shown, "-P", "-t", "orders", "-p", "0")...); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if out, err := kcat(t, n, "", append(tlsOnly, "-L", "-m", "2")...); err == nil {
		t.Errorf("without a certificate:\n%s", out)
	}
}

// TestLibrdkafkaAdmin has librdkafka, under Python, log in by every mechanism, renew its session, and handle users and bindings
// as its own test 0081 does.
func TestLibrdkafkaAdmin(t *testing.T) {
	venv, err := filepath.Abs("../../.venv/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	if exec.Command(venv, "-c", "import confluent_kafka").Run() != nil {
		t.Skip("skipped: no .venv with confluent-kafka")
	}
	n := startSecure(t, func(o *Options) { o.SessionLifetime = 2 * time.Second })
	n.opts.Authorizer.SuperUsers = append(n.opts.Authorizer.SuperUsers, acl.NewUser("alice"))
	n.addUser("alice")
	n.create("orders", 1, nil)
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, venv, "testdata/secure_admin.py")
	cmd.Env = append(os.Environ(), "BROKER="+n.addr, "TOKEN="+token(t, "alice", time.Minute))
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "all good") {
		t.Errorf("%v\n%s", err, out)
	}
}
