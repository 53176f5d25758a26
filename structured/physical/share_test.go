package physical

import (
	"context"
	"strings"
	"testing"

	"github.com/streamflow/streamflow/structured/logical"
)

// TestSharing: what a query computes twice is there once, in a stream and over its history, and late rows are set aside once.
func TestSharing(t *testing.T) {
	counts := "(SELECT window.start AS s, k, count(*) AS n FROM " + fromL + " GROUP BY window(ts, '10 seconds'), k)"
	text := "SELECT a.s, a.k, a.n FROM " + counts + " a JOIN (SELECT s, max(n) AS m FROM " + counts + " GROUP BY s) b ON a.s = b.s AND a.n >= b.m"
	other := strings.Replace(text, "count(*)", "count(v)", 1)
	in := twoStreams(t, 200, 7)
	for _, parts := range []int{1, 3} {
		for _, c := range []struct {
			text                       string
			streaming                  bool
			sources, watermarks, above int
		}{{text, true, 1, 1, 1}, {text, false, 1, 1, 1}, {other, true, 2, 2, 0}} {
			l, err := fromSQL(c.text, in)
			if err != nil {
				t.Fatal(err)
			}
			if !c.streaming {
				l = logical.TransformUp(l, func(p logical.Plan) logical.Plan {
					if s, ok := p.(*logical.Scan); ok {
						batch := *s
						batch.Streaming = false
						return &batch
					}
					return p
				})
			}
			phys, err := Plan(context.Background(), l, Options{Parts: parts, Streaming: c.streaming, Query: "q"})
			if err != nil {
				t.Fatal(err)
			}
			above := strings.Count(phys.Format(), "as above")
			if len(phys.Sources) != c.sources || len(phys.Watermarks) != c.watermarks || above != c.above {
				t.Errorf("%d parts, streaming %t: %d sources, %d watermarks, %d shared\n%s", parts, c.streaming, len(phys.Sources), len(phys.Watermarks), above, phys.Format())
			}
			for _, s := range phys.Stateful {
				if len(s.Watermarks) == 0 || strings.Contains(strings.Join(s.Watermarks, " "), "Watermark-") == false {
					t.Errorf("%s closes by %v", s.Op, s.Watermarks)
				}
			}
		}
	}
	metamorphic(t, text, in, Options{})
}

// TestSharingKeepsChanceApart: rows that are drawn twice are drawn twice.
func TestSharingKeepsChanceApart(t *testing.T) {
	side := "(SELECT k, rand(7) AS r, ts FROM " + fromL + ")"
	l, err := fromSQL("SELECT a.k, a.r, b.r AS br FROM "+side+" a JOIN "+side+" b ON a.k = b.k AND a.ts = b.ts", twoStreams(t, 10, 7))
	if err != nil {
		t.Fatal(err)
	}
	phys, err := Plan(context.Background(), l, Options{Parts: 1, Streaming: true, Query: "q"})
	if err != nil {
		t.Fatal(err)
	}
	if len(phys.Sources) != 2 {
		t.Errorf("%d sources\n%s", len(phys.Sources), phys.Format())
	}
}
