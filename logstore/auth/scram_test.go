package auth

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/sasl"
	"github.com/twmb/franz-go/pkg/sasl/scram"
)

// oneUser is a directory of one.
type oneUser struct {
	name string
	mech Mechanism
	c    Credential
}

func (u oneUser) Credential(user string, m Mechanism) (Credential, bool) {
	if user == u.name && m == u.mech {
		return u.c, true
	}
	return Credential{Iterations: 4096, Salt: []byte("pepper"), StoredKey: make([]byte, m.size()), ServerKey: make([]byte, m.size())}, false
}

// TestVectors runs the exchange of RFC 7677 (SCRAM-SHA-256), and the one that a public SCRAM-SHA-512 client made of the same
// names: the server's messages must be these bytes.
func TestVectors(t *testing.T) {
	for _, v := range []struct {
		mech                                             Mechanism
		snonce, salt, first, challenge, final, signature string
	}{
		{ScramSHA256, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", "W22ZaJ0SNY7soEsUEjb6gQ==",
			"n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
			"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
			"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
			"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="},
	} {
		salt, err := base64.StdEncoding.DecodeString(v.salt)
		if err != nil {
			t.Fatal(err)
		}
		users := oneUser{"user", v.mech, FromSaltedPassword(v.mech, SaltPassword(v.mech, "pencil", salt, 4096), salt, 4096)}
		s := newScram(v.mech, users)
		s.snonce = v.snonce
		if got, done, err := s.Next(time.Time{}, []byte(v.first)); string(got) != v.challenge || done || err != nil {
			t.Errorf("%s challenge %q %v %v", v.mech, got, done, err)
		}
		if got, done, err := s.Next(time.Time{}, []byte(v.final)); string(got) != v.signature || !done || err != nil {
			t.Errorf("%s signature %q %v %v", v.mech, got, done, err)
		}
		if s.Identity().User != "user" {
			t.Errorf("identity %v", s.Identity())
		}
	}
}

// TestClients has franz-go's client side log in, with names and passwords of all kinds, rightly and wrongly.
func TestClients(t *testing.T) {
	for _, m := range []Mechanism{ScramSHA256, ScramSHA512} {
		for _, name := range []string{"alice", "a,b=c", "Zoë", "user with spaces"} {
			c, err := NewCredential(m, "pass,word=é", 4096)
			if err != nil {
				t.Fatal(err)
			}
			users := oneUser{name, m, c}
			for password, want := range map[string]bool{"pass,word=é": true, "Pass,word=é": false} {
				if err := login(m, users, name, password); (err == nil) != want {
					t.Errorf("%s %q %q: %v", m, name, password, err)
				}
			}
			if err := login(m, users, "nobody", "pass,word=é"); !errors.Is(err, ErrFailed) {
				t.Errorf("nobody: %v", err)
			}
		}
	}
}

func login(m Mechanism, users Users, name, password string) error {
	a := scram.Auth{User: name, Pass: password}
	var client sasl.Mechanism = a.AsSha256Mechanism()
	if m == ScramSHA512 {
		client = a.AsSha512Mechanism()
	}
	sess, msg, err := client.Authenticate(nil, "")
	if err != nil {
		return err
	}
	_, server := NewServer([]Mechanism{m}, users, nil).Start(string(m))
	for range 3 {
		reply, done, err := server.Next(time.Time{}, msg)
		if err != nil {
			return err
		}
		finished, next, err := sess.Challenge(reply)
		if err != nil {
			return err
		}
		if done {
			if !finished || server.Identity().User != name {
				return fmt.Errorf("client finished %v, identity %v", finished, server.Identity())
			}
			return nil
		}
		msg = next
	}
	return errors.New("no end")
}

// TestScramRefuses runs second messages that a thief of the first, or of another exchange, could send.
func TestScramRefuses(t *testing.T) {
	salt := []byte("salt")
	users := oneUser{"user", ScramSHA256, FromSaltedPassword(ScramSHA256, SaltPassword(ScramSHA256, "pencil", salt, 4096), salt, 4096)}
	zero := base64.StdEncoding.EncodeToString(make([]byte, 32))
	for name, msgs := range map[string][]string{
		"binding wanted":   {"p=tls-unique,,n=user,r=abc"},
		"no name":          {"n,,r=abc"},
		"empty name":       {"n,,n=,r=abc"},
		"bad escape":       {"n,,n=a=41,r=abc"},
		"empty nonce":      {"n,,n=user,r="},
		"nonce with space": {"n,,n=user,r=a b"},
		"somebody else":    {"n,a=root,n=user,r=abc"},
		"token":            {"n,,n=user,r=abc,tokenauth=true"},
		"other nonce":      {"n,,n=user,r=abc", "c=biws,r=abcX,p=" + zero},
		"client's twice":   {"n,,n=user,r=abc", "c=biws,r=abcabc,p=" + zero},
		"client's nonce":   {"n,,n=user,r=abc", "c=biws,r=abc,p=" + zero},
		"other binding":    {"n,,n=user,r=abc", "c=eSws,r=abcS,p=" + zero},
		"zero proof":       {"n,,n=user,r=abc", "c=biws,r=abcS,p=" + zero},
		"short proof":      {"n,,n=user,r=abc", "c=biws,r=abcS,p=AAAA"},
		"no proof":         {"n,,n=user,r=abc", "c=biws,r=abcS"},
	} {
		s := newScram(ScramSHA256, users)
		s.snonce = "S"
		var err error
		for _, m := range msgs {
			var done bool
			if _, done, err = s.Next(time.Time{}, []byte(m)); done {
				t.Errorf("%s: logged in", name)
			}
		}
		if !errors.Is(err, ErrFailed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOldLibrdkafka logs in as librdkafka before 2.6.1 does, which repeats its part of the nonce once too often.
func TestOldLibrdkafka(t *testing.T) {
	m, salt := ScramSHA256, []byte("salt")
	salted := SaltPassword(m, "pencil", salt, 4096)
	s := newScram(m, oneUser{"user", m, FromSaltedPassword(m, salted, salt, 4096)})
	s.snonce = "S"
	challenge, _, err := s.Next(time.Time{}, []byte("n,,n=user,r=abc"))
	if err != nil {
		t.Fatal(err)
	}
	final := "c=biws,r=abcabcS"
	key := m.mac(salted, "Client Key")
	proof := m.mac(m.digest(key), "n=user,r=abc,"+string(challenge)+","+final)
	for i := range proof {
		proof[i] ^= key[i]
	}
	if _, done, err := s.Next(time.Time{}, []byte(final+",p="+base64.StdEncoding.EncodeToString(proof))); !done {
		t.Error(err)
	}
}

func TestPlain(t *testing.T) {
	c, err := NewCredential(ScramSHA512, "secret", 4096)
	if err != nil {
		t.Fatal(err)
	}
	s := NewServer([]Mechanism{Plain}, oneUser{"alice", ScramSHA512, c}, nil)
	for msg, want := range map[string]bool{
		"\x00alice\x00secret": true, "alice\x00alice\x00secret": true, "root\x00alice\x00secret": false, "\x00alice\x00wrong": false,
		"\x00bob\x00secret": false, "\x00alice\x00": false, "\x00\x00secret": false, "alice": false, "\x00alice\x00secret\x00": false,
	} {
		_, e := s.Start("PLAIN")
		_, done, err := e.Next(time.Time{}, []byte(msg))
		if done != want || want != (err == nil) {
			t.Errorf("%q: %v %v", msg, done, err)
		}
		if err != nil && !errors.Is(err, ErrFailed) {
			t.Errorf("%q: %v", msg, err)
		}
	}
	if _, e := s.Start("SCRAM-SHA-256"); e != nil {
		t.Error("a mechanism that is not offered begins")
	}
}

func TestCredentialFormat(t *testing.T) {
	c, err := NewCredential(ScramSHA512, "secret", 5000)
	if err != nil {
		t.Fatal(err)
	}
	m, back, err := ParseCredential(c.Format(ScramSHA512))
	if err != nil || m != ScramSHA512 || !back.Verify(m, "secret") || back.Verify(m, "Secret") || back.Iterations != 5000 {
		t.Errorf("%s: %v %v", c.Format(ScramSHA512), m, err)
	}
	users, err := ParseUsers("# comment\n\nalice:" + c.Format(ScramSHA512) + "\nbob:pass:word\n")
	if err != nil || len(users) != 2 || !users["bob"][ScramSHA256].Verify(ScramSHA256, "pass:word") || len(users["alice"]) != 1 {
		t.Errorf("%v %v", users, err)
	}
	for _, bad := range []string{"alice", ":x", "alice:", "alice:SCRAM-SHA-256$4096:AA==$AA==:AA==", "alice:SCRAM-SHA-1$x"} {
		if _, err := ParseUsers("\n" + bad); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for _, n := range []int{0, 4095, 16385} {
		if _, err := NewCredential(ScramSHA256, "x", n); err == nil {
			t.Errorf("%d iterations are taken", n)
		}
	}
}

func TestMachineAndDirectory(t *testing.T) {
	m := NewMachine()
	d := NewDirectory(m)
	before, known := d.Credential("ghost", ScramSHA256)
	if known {
		t.Error("a ghost is known")
	}
	c, _ := NewCredential(ScramSHA256, "secret", 6000)
	set := Command{Set: []Entry{{"alice", ScramSHA256, c}}, Decoy: []byte("first")}
	if _, err := m.Apply(set.Encode()); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Apply(Command{Decoy: []byte("second")}.Encode()); err != nil {
		t.Fatal(err)
	}
	if string(m.secret()) != "first" {
		t.Error("the decoys' secret has changed")
	}
	if got, ok := d.Credential("alice", ScramSHA256); !ok || !got.Verify(ScramSHA256, "secret") {
		t.Error("alice is not there")
	}
	a, _ := d.Credential("ghost", ScramSHA256)
	b, _ := d.Credential("ghost", ScramSHA256)
	other, _ := d.Credential("ghost2", ScramSHA256)
	if string(a.Salt) != string(b.Salt) || string(a.Salt) == string(other.Salt) || a.Iterations != 6000 || len(a.Salt) != len(c.Salt) || string(before.Salt) == string(a.Salt) {
		t.Errorf("decoys %v %v %v", a, b, other)
	}
	n := NewMachine()
	if err := n.Restore(m.Snapshot()); err != nil {
		t.Fatal(err)
	}
	out, err := n.Apply(Command{Delete: []Entry{{User: "alice", Mechanism: ScramSHA512}, {User: "alice", Mechanism: ScramSHA256}}}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if missing, err := DecodeMissing(out); err != nil || len(missing) != 1 || missing[0] != 0 || len(n.Entries()) != 0 || string(n.secret()) != "first" {
		t.Errorf("missing %v, %v; left %v", missing, err, n.Entries())
	}
	if _, err := n.Apply(Command{Set: []Entry{{"eve", ScramSHA256, Credential{Iterations: 10}}}}.Encode()); err == nil {
		t.Error("a weak credential is taken")
	}
	d.SetFile(FileUsers{"alice": {ScramSHA512: Credential{Iterations: 4096}}})
	if _, ok := d.Credential("alice", ScramSHA256); ok {
		t.Error("the file's user is mixed with the metadata's")
	}
}

func FuzzScram(f *testing.F) {
	f.Add("n,,n=user,r=abc", "c=biws,r=abcS,p=AAAA")
	f.Add("y,a=u=2Cx,n=u=2Cx,r=!", "c=,r=,p=")
	salt := []byte("salt")
	users := oneUser{"user", ScramSHA256, FromSaltedPassword(ScramSHA256, []byte("salted"), salt, 4096)}
	f.Fuzz(func(t *testing.T, first, final string) {
		s := newScram(ScramSHA256, users)
		if _, done, err := s.Next(time.Time{}, []byte(first)); done || err != nil {
			return
		}
		if _, done, _ := s.Next(time.Time{}, []byte(final)); done {
			t.Fatalf("logged in by %q %q", first, final)
		}
	})
}

func FuzzUsers(f *testing.F) {
	f.Add("# users\nalice:SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
	f.Add("a:SCRAM-SHA-512$x$y:z\n:")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Count(text, ":") > 8 {
			return // a password costs a hash
		}
		users, err := ParseUsers(text)
		if err != nil {
			return
		}
		for name, creds := range users {
			for m, c := range creds {
				if err := (Entry{name, m, c}).Credential.validate(m); err != nil {
					t.Fatalf("%q: %v", text, err)
				}
			}
		}
	})
}

// BenchmarkPlain is what one login by password costs: the hash of it.
func BenchmarkPlain(b *testing.B) {
	c, err := NewCredential(ScramSHA256, "secret", DefaultIterations)
	if err != nil {
		b.Fatal(err)
	}
	s := NewServer([]Mechanism{Plain}, oneUser{"alice", ScramSHA256, c}, nil)
	for b.Loop() {
		_, e := s.Start("PLAIN")
		if _, done, err := e.Next(time.Time{}, []byte("\x00alice\x00secret")); !done {
			b.Fatal(err)
		}
	}
}

// TestStateOfDocs reads a state as docs/format/meta.md has it, and writes the same: later releases must.
func TestStateOfDocs(t *testing.T) {
	const state = `{"set":[{"user":"user","mech":"SCRAM-SHA-256","cred":{"i":4096,"salt":"W22ZaJ0SNY7soEsUEjb6gQ==","stored":"WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=","server":"wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="}}],"decoy":"AAEC"}`
	m := NewMachine()
	if err := m.Restore([]byte(state)); err != nil {
		t.Fatal(err)
	}
	if c, ok := m.Lookup("user", ScramSHA256); !ok || !c.Verify(ScramSHA256, "pencil") || string(m.Snapshot()) != state {
		t.Errorf("read %v, written as %s", c, m.Snapshot())
	}
}
