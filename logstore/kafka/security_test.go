package kafka

import (
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/streamflow/streamflow/logstore/acl"
	"github.com/streamflow/streamflow/logstore/auth"
	"github.com/streamflow/streamflow/logstore/meta"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/oauth"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// startSecure is startNode with users, bindings and tokens: root is a super user, and its password is "root".
func startSecure(t testing.TB, change ...func(*Options)) *node {
	t.Helper()
	acls, users := acl.NewMachine(), auth.NewMachine()
	n := &node{t: t, dir: t.TempDir(), machines: []meta.Machine{acls, users}}
	dir := auth.NewDirectory(users)
	root, err := auth.ParseUsers("root:root")
	if err != nil {
		t.Fatal(err)
	}
	dir.SetFile(root)
	n.opts = Options{Logger: quiet, ACLs: acls, Users: users,
		Authorizer: &acl.Authorizer{Source: acls, SuperUsers: []acl.Principal{acl.NewUser("root")}},
		Auth:       auth.NewServer(auth.Mechanisms, dir, &auth.TokenRules{Keys: testKeys{}})}
	for _, c := range change {
		c(&n.opts)
	}
	n.start("127.0.0.1:0")
	t.Cleanup(n.stop)
	return n
}

// testKeys is an issuer of one key.
type testKeys struct{}

var tokenPublic, tokenPrivate, _ = ed25519.GenerateKey(rand.Reader)

func (testKeys) Key(string, string) (any, error) { return tokenPublic, nil }

func token(t testing.TB, user string, life time.Duration) string {
	t.Helper()
	s, err := jwt.NewWithClaims(jwt.SigningMethodEdDSA, jwt.MapClaims{"sub": user, "exp": time.Now().Add(life).Unix()}).SignedString(tokenPrivate)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func asUser(name, password string) kgo.Opt {
	return kgo.SASL(scram.Auth{User: name, Pass: password}.AsSha256Mechanism())
}

func (n *node) root() *kadm.Client {
	opts := []kgo.Opt{asUser("root", "root")}
	if n.tls != nil {
		opts = append(opts, kgo.DialTLSConfig(n.tls))
	}
	return kadm.NewClient(n.client(opts...))
}

// addUser makes a user over the admin API, whose password is its name.
func (n *node) addUser(names ...string) {
	n.t.Helper()
	adm := n.root()
	for _, name := range names {
		for _, m := range []kadm.ScramMechanism{kadm.ScramSha256, kadm.ScramSha512} {
			res, err := adm.AlterUserSCRAMs(timeout(n.t, 10*time.Second), nil, []kadm.UpsertSCRAM{{User: name, Mechanism: m, Iterations: 4096, Password: name}})
			if err == nil {
				err = res.Error()
			}
			if err != nil {
				n.t.Fatal(err)
			}
		}
	}
}

// allow adds bindings: kadm's builder, made to wait.
func (n *node) allow(b *kadm.ACLBuilder) {
	n.t.Helper()
	res, err := n.root().CreateACLs(timeout(n.t, 10*time.Second), b)
	if err != nil {
		n.t.Fatal(err)
	}
	for _, r := range res {
		if r.Err != nil {
			n.t.Fatal(r.Err, r.ErrMessage)
		}
	}
}

// TestLogin has franz-go log in by every mechanism, rightly and wrongly.
func TestLogin(t *testing.T) {
	n := startSecure(t)
	n.addUser("alice")
	for name, c := range map[string]struct {
		mechanism sasl.Mechanism
		want      bool
	}{
		"plain":           {plain.Auth{User: "alice", Pass: "alice"}.AsMechanism(), true},
		"scram 256":       {scram.Auth{User: "alice", Pass: "alice"}.AsSha256Mechanism(), true},
		"scram 512":       {scram.Auth{User: "alice", Pass: "alice"}.AsSha512Mechanism(), true},
		"file":            {scram.Auth{User: "root", Pass: "root"}.AsSha512Mechanism(), true},
		"token":           {oauth.Auth{Token: token(t, "alice", time.Minute)}.AsMechanism(), true},
		"plain wrong":     {plain.Auth{User: "alice", Pass: "Alice"}.AsMechanism(), false},
		"plain nobody":    {plain.Auth{User: "bob", Pass: "bob"}.AsMechanism(), false},
		"scram 256 wrong": {scram.Auth{User: "alice", Pass: "Alice"}.AsSha256Mechanism(), false},
		"scram 512 wrong": {scram.Auth{User: "alice", Pass: "Alice"}.AsSha512Mechanism(), false},
		"scram nobody":    {scram.Auth{User: "bob", Pass: "bob"}.AsSha256Mechanism(), false},
		"token expired":   {oauth.Auth{Token: token(t, "alice", -time.Minute)}.AsMechanism(), false},
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		cl := n.client(kgo.SASL(c.mechanism), kgo.RequestRetries(0))
		err := cl.Ping(ctx)
		if (err == nil) != c.want {
			t.Errorf("%s: %v", name, err)
		}
		if !c.want && name != "token expired" && !errors.Is(err, kerr.SaslAuthenticationFailed) { // of tokens the client tells only that it was answered
			t.Errorf("%s: %v is no refusal", name, err)
		}
		cancel()
	}
}

// TestBeforeLogin sends what a client that has not logged in must not have answered.
func TestBeforeLogin(t *testing.T) {
	n := startSecure(t)
	ctx := timeout(t, 10*time.Second)
	if err := n.client(kgo.RequestRetries(0)).Ping(ctx); err == nil {
		t.Error("a client without login is answered")
	}
	for name, send := range map[string][]byte{
		"metadata":       framed(kmsg.NewPtrMetadataRequest(), 9),
		"produce":        framed(kmsg.NewPtrProduceRequest(), 9),
		"fetch":          framed(kmsg.NewPtrFetchRequest(), 11),
		"authenticate":   framed(&kmsg.SASLAuthenticateRequest{SASLAuthBytes: []byte("\x00root\x00root")}, 1),
		"unknown":        framed(&kmsg.SASLHandshakeRequest{Mechanism: "GSSAPI"}, 1),
		"a large frame":  {0, 1, 0, 1, 0, 17, 0, 1, 0, 0, 0, 0},
		"a larger frame": {0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 9, 0, 0, 0, 0},
	} {
		nc, err := net.Dial("tcp", n.addr)
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
		if _, err := nc.Write(send); err != nil {
			t.Fatal(err)
		}
		answer, err := io.ReadAll(nc)
		if err != nil && !strings.Contains(err.Error(), "reset") {
			t.Errorf("%s: the connection stays open: %v", name, err)
		}
		if want := name == "authenticate" || name == "unknown"; (len(answer) > 0) != want {
			t.Errorf("%s: answered with %d bytes", name, len(answer))
		}
		_ = nc.Close()
	}
}

// framed frames a request.
func framed(r kmsg.Request, version int16) []byte {
	r.SetVersion(version)
	return kmsg.NewRequestFormatter(kmsg.FormatterClientID("test")).AppendRequest(nil, r, 1)
}

// TestRawTokens logs in as clients did before SaslAuthenticate: SaslHandshake 0, then messages without headers.
func TestRawTokens(t *testing.T) {
	n := startSecure(t)
	for password, want := range map[string]bool{"root": true, "wrong": false} {
		nc, err := net.Dial("tcp", n.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(5 * time.Second))
		roundTrip(t, nc, framed(&kmsg.SASLHandshakeRequest{Mechanism: "PLAIN"}, 0))
		msg := "\x00root\x00" + password
		if _, err := nc.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(msg))), msg...)); err != nil {
			t.Fatal(err)
		}
		var head [4]byte
		_, err = io.ReadFull(nc, head[:])
		if (err == nil) != want {
			t.Errorf("%s: %v", password, err)
		}
		if want {
			if binary.BigEndian.Uint32(head[:]) != 0 {
				t.Errorf("answer of %d bytes", head)
			}
			if got := roundTrip(t, nc, framed(kmsg.NewPtrMetadataRequest(), 8)); len(got) < 20 {
				t.Errorf("metadata %q", got)
			}
		}
	}
}

func roundTrip(t *testing.T, nc net.Conn, req []byte) []byte {
	t.Helper()
	if _, err := nc.Write(req); err != nil {
		t.Fatal(err)
	}
	var head [4]byte
	if _, err := io.ReadFull(nc, head[:]); err != nil {
		t.Fatal(err)
	}
	body := make([]byte, binary.BigEndian.Uint32(head[:]))
	if _, err := io.ReadFull(nc, body); err != nil {
		t.Fatal(err)
	}
	return body
}

// TestReauthentication lets sessions end: a client that logs in again goes on, over the same connection, and one that does not
// is cut off.
func TestReauthentication(t *testing.T) {
	var clock atomic.Int64
	start := time.Now()
	n := startSecure(t, func(o *Options) {
		o.SessionLifetime = 10 * time.Second
		o.Now = func() time.Time { return start.Add(time.Duration(clock.Load())) }
	})
	nc, err := net.Dial("tcp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	logIn := func(user, password string) *kmsg.SASLAuthenticateResponse {
		roundTrip(t, nc, framed(&kmsg.SASLHandshakeRequest{Mechanism: "PLAIN"}, 1))
		body := roundTrip(t, nc, framed(&kmsg.SASLAuthenticateRequest{SASLAuthBytes: []byte("\x00" + user + "\x00" + password)}, 1))
		resp := kmsg.NewPtrSASLAuthenticateResponse()
		resp.SetVersion(1)
		if err := resp.ReadFrom(body[4:]); err != nil {
			t.Fatal(err)
		}
		return resp
	}
	if r := logIn("root", "root"); r.ErrorCode != 0 || r.SessionLifetimeMillis != 10_000 {
		t.Fatalf("login %+v", r)
	}
	clock.Add(int64(9 * time.Second))
	if r := logIn("root", "root"); r.ErrorCode != 0 || r.SessionLifetimeMillis != 10_000 {
		t.Fatalf("second login %+v", r)
	}
	clock.Add(int64(9 * time.Second))
	roundTrip(t, nc, framed(kmsg.NewPtrMetadataRequest(), 8))
	n.addUser("alice")
	if r := logIn("alice", "alice"); r.ErrorCode != kerr.SaslAuthenticationFailed.Code {
		t.Errorf("a session has changed its user: %+v", r)
	}

	nc2, err := net.Dial("tcp", n.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer nc2.Close()
	nc = nc2
	_ = nc.SetDeadline(time.Now().Add(20 * time.Second))
	logIn("root", "root")
	clock.Add(int64(11 * time.Second))
	if _, err := nc.Write(framed(kmsg.NewPtrMetadataRequest(), 8)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(nc, make([]byte, 1)); err == nil {
		t.Error("a session that has ended is answered")
	}
}

// TestReauthenticationOfClients has franz-go renew its sessions while it produces.
func TestReauthenticationOfClients(t *testing.T) {
	n := startSecure(t, func(o *Options) { o.SessionLifetime = 1500 * time.Millisecond })
	n.create("t", 1, nil)
	var logins atomic.Int32
	mechanism := oauth.Oauth(func(context.Context) (oauth.Auth, error) {
		logins.Add(1)
		return oauth.Auth{Token: token(t, "root", time.Minute)}, nil
	})
	cl := n.client(kgo.SASL(mechanism), kgo.DefaultProduceTopic("t"), kgo.RecordRetries(0))
	for deadline := time.Now().Add(4 * time.Second); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if err := cl.ProduceSync(timeout(t, 5*time.Second), kgo.StringRecord("x")).FirstErr(); err != nil {
			t.Fatal(err)
		}
	}
	if logins.Load() < 3 {
		t.Errorf("%d logins", logins.Load())
	}
}

// TestAuthorization walks through what a user needs for each thing it does: refused without, done with.
func TestAuthorization(t *testing.T) {
	n := startSecure(t)
	n.addUser("alice")
	n.create("orders", 1, nil)
	n.create("secret", 1, nil)
	ctx := timeout(t, 60*time.Second)
	alice := func(opts ...kgo.Opt) *kgo.Client {
		return n.client(append([]kgo.Opt{asUser("alice", "alice"), kgo.RecordRetries(1), kgo.RequestRetries(1), kgo.AllowAutoTopicCreation()}, opts...)...)
	}
	adm := kadm.NewClient(alice())

	list, err := adm.ListTopics(ctx)
	if err != nil || len(list) != 0 {
		t.Errorf("sees %v, %v", list.Names(), err)
	}
	for _, topic := range []string{"orders", "missing"} {
		if _, err := adm.ListTopics(ctx, topic); !errors.Is(err, kerr.TopicAuthorizationFailed) {
			t.Errorf("%s: %v", topic, err)
		}
	}
	err = alice(kgo.DefaultProduceTopic("orders")).ProduceSync(ctx, kgo.StringRecord("x")).FirstErr()
	if !errors.Is(err, kerr.ClusterAuthorizationFailed) && !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("produce without rights: %v", err)
	}

	n.allow(kadm.NewACLs().Topics("orders").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpWrite).Allow("User:alice").AllowHosts())
	if err := alice(kgo.DefaultProduceTopic("orders")).ProduceSync(ctx, kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Errorf("produce: %v", err)
	}
	if err := alice(kgo.DefaultProduceTopic("secret")).ProduceSync(ctx, kgo.StringRecord("x")).FirstErr(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("produce to another topic: %v", err)
	}
	if list, err := kadm.NewClient(alice()).ListTopics(ctx); err != nil || !slices.Equal(list.Names(), []string{"orders"}) {
		t.Errorf("sees %v, %v", list.Names(), err)
	}

	fetch := func() error {
		cl := alice(kgo.ConsumeTopics("orders"), kgo.ConsumerGroup("readers"))
		defer cl.Close()
		short, cancel := context.WithTimeout(ctx, 3*time.Second)
		defer cancel()
		for {
			fs := cl.PollFetches(short)
			if len(fs.Records()) > 0 {
				return cl.CommitUncommittedOffsets(ctx)
			}
			for _, e := range fs.Errors() {
				return e.Err
			}
		}
	}
	if err := fetch(); !errors.Is(err, kerr.GroupAuthorizationFailed) && !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("consume without rights: %v", err)
	}
	n.allow(kadm.NewACLs().Topics("orders").Groups("read").ResourcePatternType(kadm.ACLPatternPrefixed).Operations(kadm.OpRead).Allow("User:*").AllowHosts())
	if err := fetch(); err != nil {
		t.Errorf("consume: %v", err)
	}
	n.allow(kadm.NewACLs().Topics("orders").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpRead).Deny("User:alice").DenyHosts())
	if err := fetch(); !errors.Is(err, kerr.TopicAuthorizationFailed) {
		t.Errorf("consume though denied: %v", err)
	}
}

// TestAdminAuthorization asks every admin API without and with its right.
func TestAdminAuthorization(t *testing.T) {
	n := startSecure(t)
	n.addUser("alice")
	n.create("orders", 1, nil)
	ctx := timeout(t, 60*time.Second)
	adm := kadm.NewClient(n.client(asUser("alice", "alice"), kgo.RequestRetries(0)))
	value := "1000"
	apis := []struct {
		name  string
		allow *kadm.ACLBuilder
		want  *kerr.Error
		call  func() error
	}{
		{"create", kadm.NewACLs().Topics("new").Operations(kadm.OpCreate), kerr.TopicAuthorizationFailed, func() error {
			r, err := adm.CreateTopic(ctx, 1, 1, nil, "new")
			return first(err, func() error { return r.Err })
		}},
		{"alter configs", kadm.NewACLs().Topics("orders").Operations(kadm.OpAlterConfigs), kerr.TopicAuthorizationFailed, func() error {
			r, err := adm.AlterTopicConfigs(ctx, []kadm.AlterConfig{{Name: "retention.ms", Value: &value}}, "orders")
			return first(err, func() error { return r[0].Err })
		}},
		{"describe configs", kadm.NewACLs().Topics("new").Operations(kadm.OpDescribeConfigs), kerr.TopicAuthorizationFailed, func() error {
			r, err := adm.DescribeTopicConfigs(ctx, "new")
			return first(err, func() error { return r[0].Err })
		}},
		{"create partitions", kadm.NewACLs().Topics("orders").Operations(kadm.OpAlter), kerr.TopicAuthorizationFailed, func() error {
			r, err := adm.UpdatePartitions(ctx, 2, "orders")
			return first(err, func() error { return r["orders"].Err })
		}},
		{"delete records", kadm.NewACLs().Topics("orders").Operations(kadm.OpDelete), kerr.TopicAuthorizationFailed, func() error {
			r, err := adm.DeleteRecords(ctx, kadm.Offsets{"orders": {0: {Topic: "orders", Partition: 0, At: 0}}})
			return first(err, func() error { return r["orders"][0].Err })
		}},
		{"delete", kadm.NewACLs().Topics("new").Operations(kadm.OpDelete), kerr.TopicAuthorizationFailed, func() error {
			r, err := adm.DeleteTopics(ctx, "new")
			return first(err, func() error { return r["new"].Err })
		}},
		{"describe group", kadm.NewACLs().Groups("g").Operations(kadm.OpDescribe), kerr.GroupAuthorizationFailed, func() error {
			r, err := adm.DescribeGroups(ctx, "g")
			if err = first(err, func() error { return r["g"].Err }); errors.Is(err, kerr.GroupIDNotFound) {
				err = nil
			}
			return err
		}},
		{"delete group", kadm.NewACLs().Groups("g").Operations(kadm.OpDelete), kerr.GroupAuthorizationFailed, func() error {
			r, err := adm.DeleteGroups(ctx, "g")
			if err = first(err, func() error { return r["g"].Err }); errors.Is(err, kerr.GroupIDNotFound) {
				err = nil
			}
			return err
		}},
		{"broker configs", kadm.NewACLs().Clusters().Operations(kadm.OpDescribeConfigs), kerr.ClusterAuthorizationFailed, func() error {
			r, err := adm.DescribeBrokerConfigs(ctx, 0)
			return first(err, func() error { return r[0].Err })
		}},
		{"describe users", kadm.NewACLs().Clusters().Operations(kadm.OpDescribe), kerr.ClusterAuthorizationFailed, func() error {
			_, err := adm.DescribeUserSCRAMs(ctx)
			return err
		}},
		{"alter users", kadm.NewACLs().Clusters().Operations(kadm.OpAlter), kerr.ClusterAuthorizationFailed, func() error {
			r, err := adm.AlterUserSCRAMs(ctx, nil, []kadm.UpsertSCRAM{{User: "x", Mechanism: kadm.ScramSha256, Iterations: 4096, Password: "x"}})
			return first(err, func() error { return r["x"].Err })
		}},
		{"describe transaction", kadm.NewACLs().TransactionalIDs("tx").Operations(kadm.OpDescribe), kerr.TransactionalIDAuthorizationFailed, func() error {
			r, err := adm.DescribeTransactions(ctx, "tx")
			if err = first(err, func() error { return r["tx"].Err }); errors.Is(err, kerr.TransactionalIDNotFound) {
				err = nil
			}
			return err
		}},
	}
	for _, a := range apis {
		if err := a.call(); !errors.Is(err, a.want) {
			t.Errorf("%s without right: %v", a.name, err)
		}
		n.allow(a.allow.ResourcePatternType(kadm.ACLPatternLiteral).Allow("User:alice").AllowHosts())
		if err := a.call(); err != nil {
			t.Errorf("%s with right: %v", a.name, err)
		}
	}
}

// first is a request's own error, or what its answer says of the one thing asked for.
func first(err error, of func() error) error {
	if err != nil {
		return err
	}
	return of()
}

// TestACLs creates, finds and deletes bindings as librdkafka's tests do, and is told of mistakes.
func TestACLs(t *testing.T) {
	n := startSecure(t)
	adm, ctx := n.root(), timeout(t, 20*time.Second)
	n.allow(kadm.NewACLs().Topics("alpha").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpRead).Allow("User:a").AllowHosts())
	n.allow(kadm.NewACLs().Topics("alp").ResourcePatternType(kadm.ACLPatternPrefixed).Operations(kadm.OpRead, kadm.OpWrite).Allow("User:a").AllowHosts("10.0.0.1"))
	n.allow(kadm.NewACLs().Topics("*").ResourcePatternType(kadm.ACLPatternLiteral).Operations(kadm.OpAll).Deny("User:b").DenyHosts())
	count := func(b *kadm.ACLBuilder) (n int) {
		res, err := adm.DescribeACLs(ctx, b)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range res {
			n += len(r.Described)
		}
		return n
	}
	any := func(p kadm.ACLPattern, names ...string) *kadm.ACLBuilder {
		return kadm.NewACLs().Topics(names...).ResourcePatternType(p).Operations(kadm.OpAny).Allow().AllowHosts().Deny().DenyHosts()
	}
	for _, c := range []struct {
		b    *kadm.ACLBuilder
		want int
	}{{any(kadm.ACLPatternMatch, "alpha"), 4}, {any(kadm.ACLPatternLiteral, "alpha"), 1}, {any(kadm.ACLPatternPrefixed, "alp"), 2}, {any(kadm.ACLPatternMatch, "alp"), 3}, {any(kadm.ACLPatternMatch, "other"), 1}} {
		if got := count(c.b); got != c.want {
			t.Errorf("%d found, want %d", got, c.want)
		}
	}
	res, err := adm.DeleteACLs(ctx, any(kadm.ACLPatternMatch, "alpha"))
	deleted := 0
	for _, r := range res {
		deleted += len(r.Deleted)
	}
	if err != nil || deleted != 4 || count(any(kadm.ACLPatternMatch, "alpha")) != 0 {
		t.Errorf("%d deleted, %v", deleted, err)
	}
	req := kmsg.NewPtrCreateACLsRequest()
	for _, p := range []string{"alice", "User:alice"} {
		c := kmsg.NewCreateACLsRequestCreation()
		c.ResourceType, c.ResourceName, c.Principal, c.Host, c.Operation, c.PermissionType = kmsg.ACLResourceTypeTopic, "t", p, "*", kmsg.ACLOperationRead, kmsg.ACLPermissionTypeAllow
		req.Creations = append(req.Creations, c)
	}
	resp, err := req.RequestWith(ctx, n.client(asUser("root", "root")))
	if err != nil || resp.Results[0].ErrorCode != kerr.InvalidRequest.Code || resp.Results[1].ErrorCode != 0 {
		t.Errorf("%+v %v", resp, err)
	}

	open := startNode(t)
	described, err := kadm.NewClient(open.client()).DescribeACLs(ctx, any(kadm.ACLPatternMatch, "x"))
	if err != nil || !errors.Is(described[0].Err, kerr.SecurityDisabled) {
		t.Errorf("without an authorizer: %+v %v", described, err)
	}
}

// TestUsers is told of mistakes, and sees users without their keys.
func TestUsers(t *testing.T) {
	n := startSecure(t)
	n.addUser("alice", "bob")
	adm, ctx := n.root(), timeout(t, 20*time.Second)
	users, err := adm.DescribeUserSCRAMs(ctx)
	if err != nil || len(users) != 2 || len(users["alice"].CredInfos) != 2 || users["bob"].CredInfos[0].Iterations != 4096 {
		t.Errorf("%+v %v", users, err)
	}
	if users, err = adm.DescribeUserSCRAMs(ctx, "alice", "carol"); err != nil || len(users) != 2 || !errors.Is(users["carol"].Err, kerr.ResourceNotFound) {
		t.Errorf("%+v %v", users, err)
	}
	set := func(mech int8, iterations int32) (u kmsg.AlterUserSCRAMCredentialsRequestUpsertion) {
		u.Name, u.Mechanism, u.Iterations, u.Salt, u.SaltedPassword = "x", mech, iterations, []byte("salt"), make([]byte, 32)
		return u
	}
	del := kmsg.AlterUserSCRAMCredentialsRequestDeletion{Name: "x", Mechanism: 1}
	for name, c := range map[string]struct {
		del  []kmsg.AlterUserSCRAMCredentialsRequestDeletion
		up   []kmsg.AlterUserSCRAMCredentialsRequestUpsertion
		want *kerr.Error
	}{
		"few iterations":  {nil, []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{set(1, 4095)}, kerr.UnacceptableCredential},
		"many iterations": {nil, []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{set(1, 16385)}, kerr.UnacceptableCredential},
		"no mechanism":    {nil, []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{set(3, 4096)}, kerr.UnsupportedSaslMechanism},
		"twice":           {nil, []kmsg.AlterUserSCRAMCredentialsRequestUpsertion{set(1, 4096), set(1, 4096)}, kerr.DuplicateResource},
		"nothing there":   {[]kmsg.AlterUserSCRAMCredentialsRequestDeletion{del}, nil, kerr.ResourceNotFound},
	} {
		req := kmsg.NewPtrAlterUserSCRAMCredentialsRequest()
		req.Deletions, req.Upsertions = c.del, c.up
		resp, err := req.RequestWith(ctx, n.client(asUser("root", "root")))
		if err != nil || len(resp.Results) != 1 || resp.Results[0].ErrorCode != c.want.Code {
			t.Errorf("%s: %+v %v", name, resp, err)
		}
	}
	res, err := adm.AlterUserSCRAMs(ctx, []kadm.DeleteSCRAM{{User: "alice", Mechanism: kadm.ScramSha256}, {User: "alice", Mechanism: kadm.ScramSha512}}, nil)
	if err != nil || res.Error() != nil {
		t.Error(res, err)
	}
	if err := n.client(asUser("alice", "alice"), kgo.RequestRetries(0)).Ping(ctx); !errors.Is(err, kerr.SaslAuthenticationFailed) {
		t.Errorf("a deleted user: %v", err)
	}
	n.restart()
	if err := n.client(asUser("bob", "bob")).Ping(ctx); err != nil {
		t.Errorf("a user after a restart: %v", err)
	}
}

// TestPeersNeedNothing serves connections of other nodes without login and without rights.
func TestPeersNeedNothing(t *testing.T) {
	n := startSecure(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = n.server.ServePeers(l) }()
	n.create("t", 1, nil)
	cl, err := kgo.NewClient(kgo.SeedBrokers(l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	defer cl.Close()
	req := kmsg.NewPtrMetadataRequest()
	resp, err := req.RequestWith(timeout(t, 5*time.Second), cl)
	if err != nil || len(resp.Topics) != 1 {
		t.Errorf("%+v %v", resp, err)
	}
}

// TestMutualTLS names clients by their certificates, and refuses others.
func TestMutualTLS(t *testing.T) {
	ca := newTestCA(t)
	rules, err := auth.ParseNameRules(`RULE:CN=([^,]*).*/$1/L`)
	if err != nil {
		t.Fatal(err)
	}
	n := startSecure(t, func(o *Options) {
		o.Auth, o.NameRules = nil, rules
		o.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue("localhost")}, ClientCAs: ca.pool, ClientAuth: tls.RequireAndVerifyClientCert}
	})
	n.create("orders", 1, nil)
	ctx := timeout(t, 20*time.Second)
	as := func(cert ...tls.Certificate) *kgo.Client {
		return n.client(kgo.DialTLSConfig(&tls.Config{RootCAs: ca.pool, ServerName: "localhost", Certificates: cert}), kgo.RequestRetries(0), kgo.RecordRetries(0), kgo.DefaultProduceTopic("orders"))
	}
	if err := as(ca.issue("ROOT")).ProduceSync(ctx, kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Errorf("root: %v", err)
	}
	if err := as(ca.issue("alice")).ProduceSync(ctx, kgo.StringRecord("x")).FirstErr(); err == nil {
		t.Error("alice has no right, and produces")
	}
	if err := as().Ping(ctx); err == nil {
		t.Error("a client without certificate is answered")
	}
	if err := as(newTestCA(t).issue("root")).Ping(ctx); err == nil {
		t.Error("a certificate of another authority is taken")
	}
}

// TestLoginOverTLS combines encryption with a login.
func TestLoginOverTLS(t *testing.T) {
	ca := newTestCA(t)
	n := startSecure(t, func(o *Options) { o.TLS = &tls.Config{Certificates: []tls.Certificate{ca.issue("localhost")}} })
	n.create("t", 1, nil)
	cl := n.client(asUser("root", "root"), kgo.DialTLSConfig(&tls.Config{RootCAs: ca.pool, ServerName: "localhost"}), kgo.DefaultProduceTopic("t"), kgo.ConsumeTopics("t"))
	if err := cl.ProduceSync(timeout(t, 5*time.Second), kgo.StringRecord("x")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	if got := poll(t, cl, 1); string(got[0].Value) != "x" {
		t.Errorf("read %q", got[0].Value)
	}
}

// TestTooManyLogins turns clients away while too many others have not logged in, and takes them afterwards.
func TestTooManyLogins(t *testing.T) {
	n := startSecure(t)
	n.server.logins.Add(maxLogins)
	if err := n.client(asUser("root", "root"), kgo.RequestRetries(0)).Ping(timeout(t, 5*time.Second)); err == nil {
		t.Error("one more is answered")
	}
	n.server.logins.Add(-maxLogins)
	cl := n.client(asUser("root", "root"))
	if err := cl.Ping(timeout(t, 5*time.Second)); err != nil {
		t.Error(err)
	}
	if got := n.server.logins.Load(); got != 0 {
		t.Errorf("%d logins are counted after all are done", got)
	}
	configs, err := kadm.NewClient(cl).DescribeBrokerConfigs(timeout(t, 5*time.Second), 0)
	if err != nil || !slices.ContainsFunc(configs[0].Configs, func(c kadm.Config) bool {
		return c.Key == "advertised.listeners" && strings.HasPrefix(*c.Value, "SASL_PLAINTEXT://")
	}) {
		t.Errorf("the listener is not described as it is: %v", err)
	}
}
