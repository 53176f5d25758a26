package chaoslog

import (
	"strings"
	"testing"
)

var place = Place{"a", 0}

func send(value string, seq int, offset int64, o Outcome) Send {
	return Send{Producer: "p1", Seq: seq, Place: place, Value: value, Offset: offset, Outcome: o}
}

func inTxn(s Send, txn string) Send { s.Txn = txn; return s }

func seen(values ...string) (list []Seen) {
	for i, v := range values {
		if v != "" {
			list = append(list, Seen{Offset: int64(i), Value: v})
		}
	}
	return list
}

func ended(values ...string) FinalRead {
	return FinalRead{Place: place, Leader: 1, Committed: true, Records: seen(values...)}
}

// Each case breaks one promise; the checker must name exactly that.
func TestEachAnomalyIsFound(t *testing.T) {
	sent := []Send{send("v0", 0, 0, OK), send("v1", 1, 1, OK), send("v2", 2, 2, OK)}
	cases := []struct {
		name string
		h    *History
		want string // the kinds, or nothing
	}{
		{"all well", &History{Sends: sent, Finals: []FinalRead{ended("v0", "v1", "v2")}}, ""},
		{"lost", &History{Sends: sent, Finals: []FinalRead{ended("v0", "v1")}}, "lost"},
		{"unread", &History{Sends: sent[:1]}, "lost"},
		{"unknown may be there", &History{Sends: []Send{sent[0], send("v1", 1, 0, Unknown)}, Finals: []FinalRead{ended("v0", "v1")}}, ""},
		{"unknown may be absent", &History{Sends: []Send{sent[0], send("v1", 1, 0, Unknown)}, Finals: []FinalRead{ended("v0")}}, ""},
		{"refused is there", &History{Sends: []Send{sent[0], send("v1", 1, 0, Failed)}, Finals: []FinalRead{ended("v0", "v1")}}, "phantom"},
		{"twice", &History{Sends: []Send{sent[0], send("v1", 1, 0, Unknown)}, Finals: []FinalRead{ended("v0", "v1", "v1")}}, "duplicate"},
		{"elsewhere", &History{Sends: sent[:2], Finals: []FinalRead{ended("v0", "", "v1")}}, "duplicate"},
		{"two values at one offset", &History{Sends: append([]Send{send("x", 9, 0, Unknown)}, sent...), Finals: []FinalRead{ended("v0", "v1", "v2")},
			Polls: []Poll{{Reader: "r", Place: place, Records: seen("x")}}}, "inconsistent"},
		{"nobody's", &History{Sends: sent[:1], Finals: []FinalRead{ended("v0", "who")}}, "phantom"},
		{"other partition's", &History{Sends: append([]Send{{Place: Place{"a", 1}, Value: "w", Outcome: Unknown, Producer: "p2"}}, sent[0]), Finals: []FinalRead{ended("v0", "w")}}, "phantom"},
		{"broken bytes", &History{Sends: sent[:1], Finals: []FinalRead{ended("v0")}, Polls: []Poll{{Reader: "r", Place: place, Records: []Seen{{Offset: 1, Broken: "crc"}}}}}, "torn"},
		{"order", &History{Sends: []Send{send("v0", 0, 1, Unknown), send("v1", 1, 0, Unknown)}, Finals: []FinalRead{ended("v1", "v0")}}, "reordered"},
		{"aborted is seen", &History{Sends: []Send{inTxn(sent[0], "t")}, Txns: []Txn{{"t", false, OK}}, Finals: []FinalRead{ended()},
			Polls: []Poll{{Reader: "r", Committed: true, Place: place, Records: seen("v0")}}}, "aborted read"},
		{"aborted is seen by a reader of everything", &History{Sends: []Send{inTxn(sent[0], "t")}, Txns: []Txn{{"t", false, OK}}, Finals: []FinalRead{ended()},
			Polls: []Poll{{Reader: "r", Place: place, Records: seen("v0")}}}, ""},
		{"half a transaction", &History{Sends: []Send{inTxn(sent[0], "t"), inTxn(sent[1], "t")}, Txns: []Txn{{"t", true, Unknown}}, Finals: []FinalRead{ended("v0")}}, "torn txn"},
		{"end went back", &History{Marks: []Mark{{Watch: "latest", Place: place, Value: 5}, {Watch: "latest", Place: place, Value: 4}}}, "backwards"},
		{"reader went back", &History{Sends: sent, Finals: []FinalRead{ended("v0", "v1", "v2")},
			Polls: []Poll{{Reader: "r", Place: place, Records: seen("v0", "v1")}, {Reader: "r", Place: place, Records: seen("", "v1")}}}, "backwards"},
		{"leaders disagree", &History{Sends: sent[:1], Finals: []FinalRead{ended("v0"), {Place: place, Leader: 2, Committed: true}}}, "diverged"},
		{"moved once", moved("out"), ""},
		{"never moved", moved(), "moved twice"},
		{"moved twice", moved("out", "out2"), "moved twice"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			kinds := map[string]bool{}
			for _, a := range Check(tc.h) {
				kinds[a.Kind] = true
				if !strings.Contains(tc.want, a.Kind) || tc.want == "" {
					t.Errorf("unexpected: %v", a)
				}
			}
			if tc.want != "" && !kinds[tc.want] {
				t.Errorf("%s was not found", tc.want)
			}
		})
	}
}

// moved is a history of one input value and what a loop made of it.
func moved(outs ...string) *History {
	b := Place{"b", 0}
	h := &History{Sends: []Send{send("v0", 0, 0, OK)}, Finals: []FinalRead{ended("v0"), {Place: b, Leader: 1, Committed: true, Records: seen(outs...)}}}
	h.Sends = append(h.Sends, Send{Place: b, Value: "never", From: "v0", Outcome: Failed})
	for i, v := range outs {
		h.Sends = append(h.Sends, Send{Place: b, Value: v, From: "v0", Outcome: OK, Offset: int64(i)})
	}
	return h
}
