package tier

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/streamflow/streamflow/internal/vfs"
)

// TestStores runs the suite that every store must pass.
func TestStores(t *testing.T) {
	for name, open := range map[string]func(t *testing.T) Store{
		"memory fake": func(*testing.T) Store { return newMemStore() },
		"directory":   func(t *testing.T) Store { return NewDir(vfs.OS, t.TempDir()) },
		"mem files":   func(*testing.T) Store { return NewDir(vfs.NewMem(), "tier") },
		"s3":          func(t *testing.T) Store { return s3Service(t).store(t, "a/prefix/") },
	} {
		t.Run(name, func(t *testing.T) { conform(t, open) })
	}
}

func conform(t *testing.T, open func(t *testing.T) Store) {
	ctx := context.Background()
	must := func(t *testing.T, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	t.Run("get reads ranges", func(t *testing.T) {
		s := open(t)
		must(t, s.Put(ctx, "t/0/data/x", bodyOf([]byte("0123456789"))))
		for _, r := range [][2]int64{{0, 10}, {3, 4}, {9, 1}} {
			b, err := s.Get(ctx, "t/0/data/x", r[0], r[1])
			must(t, err)
			if want := "0123456789"[r[0] : r[0]+r[1]]; string(b) != want {
				t.Errorf("%v is %q, want %q", r, b, want)
			}
		}
		for _, r := range [][2]int64{{5, 6}, {11, 1}} {
			if _, err := s.Get(ctx, "t/0/data/x", r[0], r[1]); !errors.Is(err, io.ErrUnexpectedEOF) {
				t.Errorf("%v: %v, want that it is cut short", r, err)
			}
		}
	})
	t.Run("put replaces", func(t *testing.T) {
		s := open(t)
		must(t, s.Put(ctx, "k", bodyOf([]byte("one, and long"))))
		must(t, s.Put(ctx, "k", bodyOf([]byte("two"))))
		b, err := s.Get(ctx, "k", 0, 3)
		must(t, err)
		list, err := s.List(ctx, "k")
		must(t, err)
		if string(b) != "two" || len(list) != 1 || list[0].Size != 3 {
			t.Errorf("%q, %v", b, list)
		}
	})
	t.Run("a missing key", func(t *testing.T) {
		s := open(t)
		if _, err := s.Get(ctx, "no/such", 0, 1); !errors.Is(err, ErrNotFound) {
			t.Errorf("get: %v", err)
		}
		must(t, s.Delete(ctx, "no/such"))
		list, err := s.List(ctx, "no/")
		if err != nil || len(list) != 0 {
			t.Errorf("list: %v, %v", list, err)
		}
	})
	t.Run("list is by prefix and sorted", func(t *testing.T) {
		s := open(t)
		for _, k := range []string{"a/10/m", "a/1/z", "a/1/b", "a/1/sub/c", "b/1"} {
			must(t, s.Put(ctx, k, bodyOf([]byte(k))))
		}
		for prefix, want := range map[string][]string{
			"a/1/": {"a/1/b", "a/1/sub/c", "a/1/z"}, "a/1": {"a/1/b", "a/1/sub/c", "a/1/z", "a/10/m"}, "": {"a/1/b", "a/1/sub/c", "a/1/z", "a/10/m", "b/1"}, "a/1/s": {"a/1/sub/c"},
		} {
			list, err := s.List(ctx, prefix)
			must(t, err)
			var got []string
			for _, o := range list {
				got = append(got, o.Key)
				if o.Size != int64(len(o.Key)) {
					t.Errorf("%s has %d bytes", o.Key, o.Size)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%q: %v, want %v", prefix, got, want)
			}
		}
		must(t, s.Delete(ctx, "a/1/b"))
		if list, err := s.List(ctx, "a/1/b"); err != nil || len(list) != 0 {
			t.Errorf("after delete: %v, %v", list, err)
		}
	})
	t.Run("a body that changed is refused", func(t *testing.T) {
		s := open(t)
		b := bodyOf([]byte("abc"))
		b.CRC++
		if _, isFake := s.(*memStore); isFake {
			return
		}
		if err := s.Put(ctx, "k", b); !errors.Is(err, errBodyChanged) {
			t.Errorf("put: %v", err)
		}
		if _, err := s.Get(ctx, "k", 0, 1); !errors.Is(err, ErrNotFound) {
			t.Errorf("get: %v", err)
		}
	})
	t.Run("a big object", func(t *testing.T) {
		s := open(t)
		b := make([]byte, s3PartSize*2+12345)
		r := rand.NewChaCha8([32]byte{1})
		_, _ = r.Read(b)
		must(t, s.Put(ctx, "big", bodyOf(b)))
		for _, at := range []int64{0, s3PartSize - 7, int64(len(b)) - 100} {
			got, err := s.Get(ctx, "big", at, 100)
			must(t, err)
			if !bytes.Equal(got, b[at:at+100]) {
				t.Errorf("bytes at %d differ", at)
			}
		}
	})
}

// TestDirCrash: a crash at any file operation leaves the object whole or absent, and what Put has promised stays.
func TestDirCrash(t *testing.T) {
	ctx := context.Background()
	for step := 0; ; step++ {
		mem, n := vfs.NewMem(), 0
		var crashed *vfs.Mem
		fs := &vfs.Fault{FS: mem, Hook: func(vfs.Op, string) error {
			if n++; n == step+1 {
				crashed = mem.Crash(rand.New(rand.NewPCG(uint64(step), 2)))
			}
			return nil
		}}
		s := NewDir(fs, "data/tier")
		if err := s.Put(ctx, "t/0/a", bodyOf([]byte("first"))); err != nil {
			t.Fatal(err)
		}
		first := n
		if err := s.Put(ctx, "t/0/b", bodyOf([]byte("second"))); err != nil {
			t.Fatal(err)
		}
		if crashed == nil {
			if step < 8 {
				t.Fatalf("only %d steps", step)
			}
			return
		}
		left := NewDir(crashed, "data/tier")
		b, err := left.Get(ctx, "t/0/a", 0, 5)
		if err != nil && (step >= first || !errors.Is(err, ErrNotFound)) || err == nil && string(b) != "first" {
			t.Fatalf("step %d: first is %q, %v", step, b, err)
		}
		list, err := left.List(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range list {
			if o.Size != map[string]int64{"t/0/a": 5, "t/0/b": 6}[o.Key] {
				t.Fatalf("step %d: %v", step, o)
			}
		}
	}
}

const (
	testKey    = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
)

// service is an S3 service in the process that checks who signed each request, and fails some when told to.
type service struct {
	*httptest.Server
	unavailable atomic.Int32 // so many requests are answered by 503
	refused     atomic.Int32
	parts       atomic.Int32
}

func s3Service(t *testing.T) *service {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("bucket"); err != nil {
		t.Fatal(err)
	}
	fake := gofakes3.New(backend).Server()
	s := &service{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !signed(r) {
			s.refused.Add(1)
			w.WriteHeader(http.StatusForbidden)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>SignatureDoesNotMatch</Code></Error>`)
			return
		}
		if s.unavailable.Add(-1) >= 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
			fmt.Fprint(w, `<?xml version="1.0"?><Error><Code>SlowDown</Code></Error>`)
			return
		}
		if r.URL.Query().Has("partNumber") {
			s.parts.Add(1)
		}
		if err := unchunk(r); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fake.ServeHTTP(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *service) store(t *testing.T, prefix string) Store {
	t.Helper()
	out, err := NewS3(S3{Endpoint: s.URL, Bucket: "bucket", Prefix: prefix, Region: "eu-test-1", AccessKey: testKey, SecretKey: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// signed makes the signature of a request (AWS Signature Version 4) again, over the headers that its own names, and compares.
func signed(r *http.Request) bool {
	auth := r.Header.Get("Authorization")
	_, list, ok := strings.Cut(auth, "SignedHeaders=")
	if !ok || !strings.Contains(auth, "Credential="+testKey+"/") {
		return false
	}
	list, _, _ = strings.Cut(list, ",")
	date := r.Header.Get("X-Amz-Date")
	at, err := time.Parse("20060102T150405Z", date)
	if err != nil || time.Since(at).Abs() > 15*time.Minute {
		return false
	}
	var headers strings.Builder
	for h := range strings.SplitSeq(list, ";") {
		v := strings.Join(r.Header.Values(h), ",")
		if h == "host" {
			v = r.Host
		}
		if h == "content-length" {
			v = fmt.Sprint(r.ContentLength)
		}
		fmt.Fprintf(&headers, "%s:%s\n", h, strings.TrimSpace(v))
	}
	query := strings.ReplaceAll(r.URL.Query().Encode(), "+", "%20")
	canonical := strings.Join([]string{r.Method, r.URL.EscapedPath(), query, headers.String(), list, r.Header.Get("X-Amz-Content-Sha256")}, "\n")
	scope := date[:8] + "/eu-test-1/s3/aws4_request"
	sum := sha256.Sum256([]byte(canonical))
	text := "AWS4-HMAC-SHA256\n" + date + "\n" + scope + "\n" + hex.EncodeToString(sum[:])
	key := []byte("AWS4" + testSecret)
	for part := range strings.SplitSeq(scope, "/") {
		key = mac(key, part)
	}
	return strings.HasSuffix(auth, "Signature="+hex.EncodeToString(mac(key, text))) && bodySum(r)
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(text))
	return h.Sum(nil)
}

// bodySum checks the body's own sum, where the request has one.
func bodySum(r *http.Request) bool {
	want := r.Header.Get("X-Amz-Content-Sha256")
	if len(want) != 64 {
		return true
	}
	b, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(b))
	got := sha256.Sum256(b)
	return err == nil && hex.EncodeToString(got[:]) == want
}

// unchunk takes the frames of a body that was signed piece by piece away; the fake does that for whole objects only.
func unchunk(r *http.Request) error {
	if !strings.HasPrefix(r.Header.Get("X-Amz-Content-Sha256"), "STREAMING-") {
		return nil
	}
	b, err := io.ReadAll(r.Body)
	var out []byte
	for len(b) > 0 && err == nil {
		head, rest, _ := bytes.Cut(b, []byte("\r\n"))
		size, _, _ := bytes.Cut(head, []byte(";"))
		var n uint64
		if n, err = strconv.ParseUint(string(size), 16, 32); err != nil || n == 0 || n+2 > uint64(len(rest)) {
			break
		}
		out, b = append(out, rest[:n]...), rest[n+2:]
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(out)), int64(len(out))
	r.Header.Set("Content-Length", strconv.Itoa(len(out)))
	r.Header.Set("X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD")
	r.Header.Del("X-Amz-Decoded-Content-Length")
	r.Header.Del("Content-Encoding")
	return err
}

// TestS3 is about what only a service has: signatures, retries, parts.
func TestS3(t *testing.T) {
	ctx := context.Background()
	s := s3Service(t)
	store := s.store(t, "")
	s.unavailable.Store(2)
	if err := store.Put(ctx, "k", bodyOf([]byte("x"))); err != nil {
		t.Errorf("two answers of 503 are not outlived: %v", err)
	}
	if err := store.Put(ctx, "big", bodyOf(make([]byte, s3PartSize+1))); err != nil || s.parts.Load() < 2 {
		t.Errorf("a big object went in %d parts: %v", s.parts.Load(), err)
	}
	if n := s.refused.Load(); n != 0 {
		t.Errorf("%d requests were not signed well", n)
	}
	wrong, err := NewS3(S3{Endpoint: s.URL, Bucket: "bucket", Region: "eu-test-1", AccessKey: testKey, SecretKey: "other"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := wrong.Get(ctx, "k", 0, 1); err == nil || s.refused.Load() == 0 {
		t.Errorf("a wrong secret is taken: %v", err)
	}
	for _, endpoint := range []string{"127.0.0.1:9000", "ftp://x", "http://x/path", "://"} {
		if _, err := NewS3(S3{Endpoint: endpoint, Bucket: "b"}); err == nil {
			t.Errorf("endpoint %q is taken", endpoint)
		}
	}
}

// TestThroughS3: a partition's life over a service that fails now and then.
func TestThroughS3(t *testing.T) {
	topics(t, func(t *testing.T, topic Topic) {
		s := s3Service(t)
		n := newNode(t, s.store(t, "cluster-1/"), topic)
		n.fill(0, 600)
		want := n.batches(false)
		s.unavailable.Store(1)
		n.round()
		if n.p.LocalStart() == 0 {
			t.Fatal("nothing was freed")
		}
		same(t, want, n.batches(false))
		n.crash()
		s.unavailable.Store(2)
		same(t, want, n.batches(false))
		if _, err := n.p.DeleteRecords(300); err != nil {
			t.Fatal(err)
		}
		n.round()
		list, err := Verify(context.Background(), n.store)
		if err != nil || len(list) != 1 || list[0].Garbage != 0 || len(list[0].Damage) != 0 || list[0].Start != 300 {
			t.Errorf("%+v, %v", list, err)
		}
	})
}
