package main

import (
	"crypto/tls"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/certs"
	"github.com/streamflow/streamflow/internal/config"
	"github.com/streamflow/streamflow/internal/proctest"
)

// TestCertificates runs a node that wants certificates on all its addresses, and exchanges its own under it.
func TestCertificates(t *testing.T) {
	n := proctest.NewNode(t)
	dir := filepath.Join(n.Dir, "certs")
	remake := proctest.Command{Program: "streamflow", Args: []string{"cert", "--dir", dir, "node", "alice"}}
	remake.Must(t)
	file := func(name string) string { return filepath.Join(dir, name) }
	n.Env = []string{"STREAMFLOW_SECURITY_TLS_CERT=" + file("node.pem"), "STREAMFLOW_SECURITY_TLS_KEY=" + file("node-key.pem"),
		"STREAMFLOW_SECURITY_TLS_CLIENT_CA=" + file("ca.pem"), "STREAMFLOW_SECURITY_TLS_CLIENT_AUTH=required",
		"STREAMFLOW_SECURITY_TLS_PRINCIPAL_MAPPING_RULES=RULE:^CN=([^,]+).*$/$1/,DEFAULT",
		"STREAMFLOW_SECURITY_ACL_ENABLED=true", "STREAMFLOW_SECURITY_ACL_SUPER_USERS=User:alice"}
	n.Start()

	shown := []string{"--tls-ca", file("ca.pem"), "--tls-cert", file("alice.pem"), "--tls-key", file("alice-key.pem")}
	n.Command("streamflow", append([]string{"topic", "create", "t"}, shown...)...).Must(t)
	if r := n.Command("streamflow", "topic", "list", "--tls-ca", file("ca.pem")).Run(t); r.Code != 1 || !strings.Contains(r.Stderr, "--tls-cert") {
		t.Errorf("without a certificate: code %d\n%s", r.Code, r.Stderr)
	}

	pool, err := certs.LoadPool(file("ca.pem"))
	if err != nil {
		t.Fatal(err)
	}
	alice, err := tls.LoadX509KeyPair(file("alice.pem"), file("alice-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	conf := &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{alice}}
	web := &http.Client{Transport: &http.Transport{TLSClientConfig: conf, DisableKeepAlives: true}, Timeout: 10 * time.Second}
	resp, err := web.Get("https://" + n.HTTP + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	body, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(body) != "ok\n" {
		t.Errorf("health is %q", body)
	}
	if _, err := (&http.Client{Timeout: 5 * time.Second}).Get("http://" + n.HTTP + "/healthz"); err == nil {
		if resp, _ := http.Get("http://" + n.HTTP + "/healthz"); resp != nil && resp.StatusCode == http.StatusOK {
			t.Error("HTTP is served without encryption too")
		}
	}

	before := serial(t, n.Connect, conf)
	remake.Must(t)
	if err := syscall.Kill(n.Pid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(10 * time.Second); serial(t, n.Connect, conf) == before; time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("the certificate has not changed")
		}
	}
	if code := n.Stop(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

// serial is which certificate Spark Connect's listener shows.
func serial(t *testing.T, addr string, conf *tls.Config) string {
	t.Helper()
	c := conf.Clone()
	c.NextProtos = []string{"h2"}
	conn, err := tls.Dial("tcp", addr, c)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if p := conn.ConnectionState().NegotiatedProtocol; p != "h2" {
		t.Errorf("Spark Connect speaks %q", p)
	}
	return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
}

// TestUsersFileIsReadAgain changes a password in the file of a node that runs.
func TestUsersFileIsReadAgain(t *testing.T) {
	n := proctest.NewNode(t)
	users := filepath.Join(n.Dir, "users")
	write := func(text string) {
		if err := os.WriteFile(users, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("alice:old\n")
	n.Env = []string{"STREAMFLOW_SECURITY_SASL_MECHANISMS=SCRAM-SHA-256", "STREAMFLOW_SECURITY_SASL_USERS_FILE=" + users}
	n.Start()
	login := func(password string) int {
		c := n.Command("streamflow", "topic", "list", "--user", "alice", "--sasl-mechanism", "SCRAM-SHA-256")
		c.Env = append(c.Env, "STREAMFLOW_PASSWORD="+password)
		return c.Run(t).Code
	}
	if login("old") != 0 || login("new") != 1 {
		t.Error("the file's password does not count")
	}
	write("alice\n")
	if err := syscall.Kill(n.Pid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, "the broken file is told", func() bool {
		return strings.Contains(n.Log(), "users cannot be read again; what was read before stays")
	})
	if login("old") != 0 {
		t.Error("a broken file has taken the users away")
	}
	write("alice:new\n")
	if err := syscall.Kill(n.Pid(), syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	await(t, "the new password", func() bool { return login("new") == 0 })
	if login("old") != 1 {
		t.Error("the old password counts still")
	}
}

// TestGuarded says which addresses may be reached from elsewhere.
func TestGuarded(t *testing.T) {
	for _, c := range []struct {
		name                 string
		s                    config.Security
		kafka, connect, http bool
	}{
		{"nothing", config.Security{TLSClientAuth: "none"}, false, false, false},
		{"login alone", config.Security{TLSClientAuth: "none", Mechanisms: []string{"PLAIN"}}, false, false, false},
		{"encryption alone", config.Security{TLSClientAuth: "requested", TLSCert: "x"}, false, false, false},
		{"login and encryption", config.Security{TLSClientAuth: "none", TLSCert: "x", Mechanisms: []string{"PLAIN"}}, true, false, false},
		{"certificates", config.Security{TLSClientAuth: "required", TLSCert: "x"}, true, true, true},
	} {
		conf := &config.Config{Security: c.s}
		for key, want := range map[string]bool{"network.kafka": c.kafka, "network.connect": c.connect, "network.http": c.http} {
			if err := checkLoopback(key, "0.0.0.0:9092", conf.Insecure || guarded(conf, key)); (err == nil) != want {
				t.Errorf("%s: %s: %v", c.name, key, err)
			}
		}
	}
}
