// Package rpc asks questions from node to node over connections of package peer.
//
//	Pool.Call(addr, kind, body) ──question──▶ Server ──▶ handle(from, kind, body)
//	                            ◀──answer or failure──
//
// Many questions are under way on one connection; answers come in any order. A caller that gives up says so and the
// handler's context ends. A connection on which questions wait and nothing is heard is closed after a few pings.
//
// An error that a handler returns reaches the caller with its text; the *usererr.Error in it, and sentinels that both sides
// registered (Register), are found by errors.As and errors.Is there too. A question is never sent twice: whoever asked
// decides, and tells ErrUnreachable (not seen) from ErrConnectionLost (perhaps seen).
package rpc
