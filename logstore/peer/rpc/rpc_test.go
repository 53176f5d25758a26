package rpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/logstore/peer"
)

var quiet = slog.New(slog.DiscardHandler)

// serve starts a node that answers with h, and returns its address and what ends it.
func serve(t testing.TB, addr string, h Handle) (string, func()) {
	t.Helper()
	l, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	mux := peer.Listen(l, peer.Options{Self: 1, Logger: quiet})
	s := Serve(mux.RPC(), h, quiet)
	var once sync.Once
	end := func() { once.Do(func() { _ = s.Close(); _ = mux.Close() }) }
	t.Cleanup(end)
	return l.Addr().String(), end
}

func pool(t testing.TB) *Pool {
	p := NewPool(peer.NewDialer(peer.Options{Self: 2, Logger: quiet}))
	t.Cleanup(p.Close)
	return p
}

func within(t testing.TB, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func echo(_ context.Context, from int32, kind string, body []byte) ([]byte, error) {
	return fmt.Appendf(nil, "%s of %d: %s", kind, from, body), nil
}

func TestManyQuestionsOnOneConnection(t *testing.T) {
	defer goleak.VerifyNone(t)
	gate := make(chan struct{})
	conns := sync.Map{}
	addr, end := serve(t, "127.0.0.1:0", func(ctx context.Context, from int32, kind string, body []byte) ([]byte, error) {
		if kind == "late" {
			<-gate
		}
		return echo(ctx, from, kind, body)
	})
	p := pool(t)
	late := make(chan error, 1)
	go func() {
		out, err := p.Call(within(t, 10*time.Second), addr, "late", []byte("x"))
		if err == nil && string(out) != "late of 2: x" {
			err = fmt.Errorf("answer %q", out)
		}
		late <- err
	}()
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			body := bytes.Repeat([]byte{byte('a' + i%26)}, i*100)
			out, err := p.Call(within(t, 10*time.Second), addr, "k", body)
			if err != nil || string(out) != "k of 2: "+string(body) {
				t.Errorf("%d: %.40q %v", i, out, err)
			}
			p.mu.Lock()
			l := p.links[addr]
			p.mu.Unlock()
			conns.Store(l, true)
		})
	}
	wg.Wait()
	close(gate) // the first question is answered last
	if err := <-late; err != nil {
		t.Error(err)
	}
	n := 0
	conns.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		t.Errorf("%d connections", n)
	}
	p.Close()
	end()
	if _, err := p.Call(context.Background(), addr, "k", nil); !errors.Is(err, ErrUnreachable) {
		t.Errorf("a closed pool asked: %v", err)
	}
}

var errKnown = errors.New("known")

func init() { Register("rpc_test_known", errKnown) }

func TestErrorsCrossTheWire(t *testing.T) {
	user := usererr.New("NO_TOPIC", "42P01", "There is no topic %q.", "x").WithFix("Create it.").In("topic x")
	for what, c := range map[string]struct {
		err error
		is  []error
	}{
		"a sentinel":          {errKnown, []error{errKnown}},
		"a wrapped sentinel":  {fmt.Errorf("partition 7: %w", errKnown), []error{errKnown}},
		"a user's mistake":    {user, nil},
		"a wrapped mistake":   {fmt.Errorf("create: %w", user), nil},
		"both":                {fmt.Errorf("%w: %w", errKnown, user), []error{errKnown}},
		"a deadline":          {context.DeadlineExceeded, []error{context.DeadlineExceeded}},
		"an ordinary error":   {errors.New("disk on fire"), nil},
		"two known, one deep": {fmt.Errorf("%w: %w", errKnown, fmt.Errorf("x: %w", context.Canceled)), []error{errKnown, context.Canceled}},
	} {
		got := DecodeError(EncodeError(c.err))
		if got.Error() != c.err.Error() {
			t.Errorf("%s: text %q, want %q", what, got, c.err)
		}
		for _, sentinel := range c.is {
			if !errors.Is(got, sentinel) {
				t.Errorf("%s: %v is not found", what, sentinel)
			}
		}
		want, is := errors.AsType[*usererr.Error](c.err)
		have, was := errors.AsType[*usererr.Error](got)
		if is != was || is && (have.Code != want.Code || have.SQLState != want.SQLState || have.Fix != want.Fix || have.Where != want.Where) {
			t.Errorf("%s: %+v, want %+v", what, have, want)
		}
		if !errors.Is(c.err, errKnown) && errors.Is(got, errKnown) {
			t.Errorf("%s: a sentinel that was not there", what)
		}
	}
	if err := DecodeError([]byte("{")); err == nil {
		t.Error("damage is no error")
	}
}

func TestCallerWhoGivesUpEndsTheHandler(t *testing.T) {
	ended := make(chan error, 1)
	addr, _ := serve(t, "127.0.0.1:0", func(ctx context.Context, _ int32, _ string, _ []byte) ([]byte, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return nil, ctx.Err()
	})
	p := pool(t)
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	if _, err := p.Call(ctx, addr, "k", nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the handler goes on")
	}
	// The connection goes on too; and a deadline ends the handler by itself.
	if _, err := p.Call(within(t, 30*time.Millisecond), addr, "k", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("error %v", err)
	}
	<-ended
}

func TestLostAndUnreachable(t *testing.T) {
	began := make(chan struct{}, 1)
	addr, end := serve(t, "127.0.0.1:0", func(ctx context.Context, from int32, kind string, body []byte) ([]byte, error) {
		if kind == "wait" {
			began <- struct{}{}
			<-ctx.Done()
		}
		return echo(ctx, from, kind, body)
	})
	p := pool(t)
	lost := make(chan error, 1)
	go func() { _, err := p.Call(within(t, 10*time.Second), addr, "wait", nil); lost <- err }()
	<-began
	end()
	if err := <-lost; !errors.Is(err, ErrConnectionLost) || errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v, want ErrConnectionLost", err)
	}
	if _, err := p.Call(within(t, 10*time.Second), addr, "k", nil); !errors.Is(err, ErrUnreachable) {
		t.Errorf("error %v, want ErrUnreachable", err)
	}
	serve(t, addr, echo)
	if out, err := p.Call(within(t, 10*time.Second), addr, "k", nil); err != nil || string(out) != "k of 2: " {
		t.Errorf("after a restart: %q %v", out, err)
	}
}

// A node that neither answers nor closes is found out by its silence; one that is only slow is not.
func TestSilentNode(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	mux := peer.Listen(l, peer.Options{Logger: quiet})
	defer mux.Close()
	go func() {
		c, err := mux.RPC().Accept()
		if err == nil {
			_, _ = io.Copy(io.Discard, c) // reads, and says nothing
		}
	}()
	p := pool(t)
	p.pings = 20 * time.Millisecond
	if _, err := p.Call(within(t, 10*time.Second), l.Addr().String(), "k", nil); !errors.Is(err, ErrConnectionLost) {
		t.Errorf("error %v, want ErrConnectionLost", err)
	}
	slow, _ := serve(t, "127.0.0.1:0", func(ctx context.Context, from int32, kind string, body []byte) ([]byte, error) {
		time.Sleep(400 * time.Millisecond)
		return echo(ctx, from, kind, body)
	})
	if _, err := p.Call(within(t, 10*time.Second), slow, "k", nil); err != nil {
		t.Errorf("a slow node: %v", err)
	}
}

func TestSizesAreBounded(t *testing.T) {
	addr, _ := serve(t, "127.0.0.1:0", func(context.Context, int32, string, []byte) ([]byte, error) { return make([]byte, maxFrame+1), nil })
	p := pool(t)
	if _, err := p.Call(within(t, 10*time.Second), addr, "k", make([]byte, maxFrame)); !errors.Is(err, errFrameSize) {
		t.Errorf("a question: %v", err)
	}
	if _, err := p.Call(within(t, 10*time.Second), addr, "k", nil); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("an answer: %v", err)
	}
	huge := appendFrame(nil, question, 1, nil)
	copy(huge, []byte{0xff, 0xff, 0xff, 0xff})
	if _, err := readFrame(bytes.NewReader(huge)); !errors.Is(err, errFrameSize) {
		t.Errorf("a frame: %v", err)
	}
}

func TestFrameDamageIsFound(t *testing.T) {
	f := appendFrame(nil, answer, 77, []byte("body"))
	if got, err := readFrame(bytes.NewReader(f)); err != nil || got.typ != answer || got.id != 77 || string(got.payload) != "body" {
		t.Fatalf("%+v %v", got, err)
	}
	for i := range f {
		bad := append([]byte(nil), f...)
		bad[i] ^= 0x40
		if _, err := readFrame(bytes.NewReader(bad)); err == nil {
			t.Errorf("flipped bit in byte %d not found", i)
		}
		if _, err := readFrame(bytes.NewReader(f[:i])); err == nil {
			t.Errorf("cut at %d not found", i)
		}
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(appendFrame(nil, question, 1, questionHead(time.Second, "kind"), []byte("body")))
	f.Add(appendFrame(nil, failure, 1<<63, EncodeError(errKnown)))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := readFrame(bytes.NewReader(b))
		if err != nil {
			return
		}
		if again := appendFrame(nil, got.typ, got.id, got.payload); !bytes.Equal(again, b[:len(again)]) {
			t.Errorf("% x became % x", b, again)
		}
		if patience, kind, body, err := splitQuestion(got.payload); err == nil && patience >= time.Millisecond && patience <= 1<<31*time.Millisecond {
			if !bytes.Equal(append(questionHead(patience, kind), body...), got.payload) {
				t.Errorf("question % x is %v %q % x", got.payload, patience, kind, body)
			}
		}
		_ = DecodeError(got.payload).Error()
	})
}

func BenchmarkCall(b *testing.B) {
	addr, _ := serve(b, "127.0.0.1:0", func(context.Context, int32, string, []byte) ([]byte, error) { return nil, nil })
	p := pool(b)
	body := make([]byte, 200)
	b.Run("callers=1", func(b *testing.B) {
		for b.Loop() {
			if _, err := p.Call(context.Background(), addr, "k", body); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("callers=64", func(b *testing.B) {
		b.SetParallelism(64)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				if _, err := p.Call(context.Background(), addr, "k", body); err != nil {
					b.Error(err)
				}
			}
		})
	})
}
