package group

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
)

// TestScripts runs testdata/*: each command is an event, its output the whole action trace and the state after it.
//
//	new [initial-delay=MS] [max-size=N]
//	join at=MS [member=ID] [new=ID] [instance=ID] [session=MS] [rebalance=MS] [type=T] [protocols=(NAME:META,…)] [require] [skip]
//	sync at=MS member=ID gen=N [instance=ID] [protocol=P] [assign=(ID:DATA,…)]
//	heartbeat at=MS member=ID gen=N [instance=ID]
//	leave at=MS [member=ID] [instance=ID]
//	commit at=MS [member=ID] [gen=N] [instance=ID]
//	tick at=MS
//	describe
//
// Requests are numbered in order; replies name the number.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		var g *Group
		var req Req
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			switch d.Cmd {
			case "new":
				g, req = New(Config{InitialDelay: num(d, "initial-delay", 0), MaxSize: int(num(d, "max-size", 0))}), 0
				return state(g)
			case "describe":
				return describe(g)
			case "commit":
				code := g.CheckCommit(num(d, "at", 0), Identity{str(d, "member"), str(d, "instance")}, int32(num(d, "gen", -1)))
				return code.String() + "\n"
			}
			req++
			ev := event(d, req)
			if ev == nil {
				return "unknown command\n"
			}
			out := fmt.Sprintf("#%d\n", req)
			for _, a := range g.Step(num(d, "at", 0), ev) {
				out += show(a)
			}
			return out + state(g)
		})
	})
}

func event(d *datadriven.TestData, req Req) Event {
	switch d.Cmd {
	case "join":
		return Join{
			Req: req, MemberID: str(d, "member"), NewMemberID: str(d, "new"), InstanceID: str(d, "instance"),
			RequireKnownID: d.HasArg("require"), SkipAssignment: d.HasArg("skip"), ClientID: "client", ClientHost: "/host",
			SessionTimeout: num(d, "session", 10_000), RebalanceTimeout: num(d, "rebalance", 60_000),
			ProtocolType: strOr(d, "type", "consumer"), Protocols: protocols(d),
		}
	case "sync":
		s := Sync{Req: req, MemberID: str(d, "member"), InstanceID: str(d, "instance"), Generation: int32(num(d, "gen", 0)), ProtocolName: str(d, "protocol")}
		for _, p := range pairs(d, "assign") {
			s.Assignments = append(s.Assignments, Assignment{p[0], []byte(p[1])})
		}
		return s
	case "heartbeat":
		return Heartbeat{Req: req, MemberID: str(d, "member"), InstanceID: str(d, "instance"), Generation: int32(num(d, "gen", 0))}
	case "leave":
		return Leave{Req: req, Members: []Identity{{str(d, "member"), str(d, "instance")}}}
	case "tick":
		return Tick{}
	}
	return nil
}

func protocols(d *datadriven.TestData) []Protocol {
	ps := pairs(d, "protocols")
	if ps == nil {
		ps = [][2]string{{"range", "topics"}}
	}
	var out []Protocol
	for _, p := range ps {
		out = append(out, Protocol{p[0], []byte(p[1])})
	}
	return out
}

func pairs(d *datadriven.TestData, key string) (out [][2]string) {
	for _, a := range d.CmdArgs {
		if a.Key != key {
			continue
		}
		for _, v := range a.Vals {
			name, value, _ := strings.Cut(v, ":")
			out = append(out, [2]string{name, value})
		}
	}
	return out
}

func str(d *datadriven.TestData, key string) string { return strOr(d, key, "") }

func strOr(d *datadriven.TestData, key, def string) string {
	for _, a := range d.CmdArgs {
		if a.Key == key && len(a.Vals) == 1 {
			return a.Vals[0]
		}
	}
	return def
}

func num(d *datadriven.TestData, key string, def int64) int64 {
	var n int64
	if _, err := fmt.Sscan(str(d, key), &n); err != nil {
		return def
	}
	return n
}

func show(a Action) string {
	switch r := a.(type) {
	case JoinReply:
		if r.Code != OK {
			return fmt.Sprintf("  join #%d %v member=%s\n", r.Req, r.Code, r.MemberID)
		}
		s := fmt.Sprintf("  join #%d OK member=%s gen=%d protocol=%s leader=%s", r.Req, r.MemberID, r.Generation, r.Protocol, r.Leader)
		if r.SkipAssignment {
			s += " skip"
		}
		for _, m := range r.Members {
			s += fmt.Sprintf(" [%s %s]", m.MemberID, m.Metadata)
		}
		return s + "\n"
	case SyncReply:
		return fmt.Sprintf("  sync #%d %v %q\n", r.Req, r.Code, r.Assignment)
	case HeartbeatReply:
		return fmt.Sprintf("  heartbeat #%d %v\n", r.Req, r.Code)
	case LeaveReply:
		return fmt.Sprintf("  leave #%d %v\n", r.Req, r.Codes)
	}
	return "?"
}

func state(g *Group) string {
	s := fmt.Sprintf("%s gen=%d members=[", g.state, g.generation)
	for i, m := range g.ordered() {
		if i > 0 {
			s += " "
		}
		s += m.id
	}
	s += "]"
	if len(g.pending) > 0 {
		s += fmt.Sprintf(" expected=%d", len(g.pending))
	}
	if d := g.Deadline(); d != math.MaxInt64 {
		s += fmt.Sprintf(" due=%d", d)
	}
	return s + "\n"
}

func describe(g *Group) string {
	d := g.Describe()
	s := fmt.Sprintf("%s type=%s protocol=%s leader=%s\n", d.State, d.ProtocolType, d.Protocol, d.Leader)
	for _, m := range d.Members {
		s += fmt.Sprintf("  %s instance=%q %s@%s %s -> %s\n", m.MemberID, m.InstanceID, m.ClientID, m.ClientHost, m.Metadata, m.Assignment)
	}
	return s
}
