package socket

import (
	"context"
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/streamflow/streamflow/internal/usererr"
	"github.com/streamflow/streamflow/rdd"
	"github.com/streamflow/streamflow/structured/catalog"
	"github.com/streamflow/streamflow/structured/connector"
	"github.com/streamflow/streamflow/structured/connector/connectortest"
)

func open(t *testing.T, addr, times string) *Table {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := Provider{}.Open(t.Context(), catalog.TableDef{Name: "lines", Options: map[string]string{"host": host, "port": port, "includeTimestamp": times}})
	if err != nil {
		t.Fatal(err)
	}
	s := opened.(*Table)
	t.Cleanup(func() { s.Close() })
	return s
}

// texts reads the values of a range.
func texts(t *testing.T, s *Table, from, to int64) (out []string) {
	t.Helper()
	scan, err := s.PlanStream(t.Context(), connector.ScanRequest{Columns: []int{0}})
	if err != nil {
		t.Fatal(err)
	}
	splits := s.Bind(connector.Offsets{from}, connector.Offsets{to})
	tc, _ := connectortest.Task(t, 0, &rdd.Binding{Splits: map[string][][]rdd.Split{"op": splits}}, nil)
	r, err := scan.Op.Open(tc, nil)
	if err != nil {
		t.Fatal(err)
	}
	for b, err := r.Next(); err == nil; b, err = r.Next() {
		for i := range b.N {
			out = append(out, fmt.Sprint(b.Row(i)...))
		}
	}
	return out
}

// TestLines reads lines in batches, one of them twice, as a query does that went on at line 5.
func TestLines(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	s := open(t, l.Addr().String(), "false")
	s.Anchor(connector.Offsets{0}, connector.Offsets{5})
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "one\ntwo\n")
	for at := int64(5); at < 7; at++ {
		if err := s.Wait(ctx, connector.Offsets{at}); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if got := fmt.Sprint(texts(t, s, 5, 7)); got != "[one two]" {
			t.Errorf("lines 5 to 7: %s", got)
		}
	}
	fmt.Fprint(conn, "three\nfour")
	conn.Close()
	for {
		a, err := s.Available(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if a.Ended {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if got := fmt.Sprint(texts(t, s, 7, 9)); got != "[three four]" {
		t.Errorf("lines 7 to 9: %s", got)
	}
	if got := texts(t, s, 5, 7); got != nil {
		t.Errorf("lines that are committed are kept: %v", got)
	}
}

func TestNoServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	s := open(t, addr, "true")
	if n := s.Schema().Len() - s.Hidden(); n != 2 {
		t.Errorf("%d columns, want value and timestamp", n)
	}
	s.Anchor(connector.Offsets{0}, connector.Offsets{0})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := s.Wait(ctx, connector.Offsets{0}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Available(ctx); err == nil {
		t.Fatal("no error without a server")
	} else if u, ok := usererr.As(err); !ok || u.Code != "SOCKET_FAILED" {
		t.Error(err)
	}
	if _, err := (Provider{}).Open(ctx, catalog.TableDef{Options: map[string]string{"host": "x"}}); err == nil {
		t.Error("a socket without port")
	}
}
