// Package consumer is the consumer group of KIP-848 as a pure state machine: a heartbeat and the time go in, the answer comes
// out. The coordinator assigns, not the clients, and nobody stops while others move.
//
//	subscriptions, topics ──change──> group epoch ──assignor──> target assignment, of the group epoch
//	                                                                   │ each member, at its own heartbeats
//	                                                                   v
//	         ┌────────────────────────────────────── current assignment, of the member epoch
//	  revoke first                                          states of a member:
//	         v                                              Stable       has its target
//	   Unrevoked ── the client has let go ──> next epoch    Unrevoked    is told to let partitions go, under its old epoch
//	                                          │             Unreleased   has reached the target's epoch and waits for
//	                                          v                          partitions that others have not let go of
//	                            Stable or Unreleased
//
// A partition that a member has, or has yet to let go of, is nobody else's: that is all there is to safety, and Group.owner
// holds it. A member that lets nothing go within its rebalance timeout is removed, as is one whose session ends.
//
// The package has no goroutine, no clock, no I/O and no random numbers. Topics are given with each heartbeat as Topics, an
// immutable picture of what there is. Committed offsets are not here; CheckCommit says whether a member may commit.
package consumer
