// Package group is the classic consumer group as a pure state machine: an event and the time go in, actions come out.
//
//	           first join                all members joined              leader synced
//	Empty ───────────────> Preparing ───────────────────────> Completing ───────────> Stable
//	  ^                      ^    │ nobody is left                │                     │
//	  └──────────────────────┼────┘                               │                     │
//	                         └────────────────────────────────────┴─────────────────────┘
//	                            join with other metadata, leave, a member's session ends
//
// The package has no goroutine, no clock, no I/O and no random numbers: the shell stamps events with the time, proposes ids
// for new members, carries out replies, and calls Step with a Tick at Deadline.
//
// It never looks into subscriptions and assignments: they are the clients' bytes. Committed offsets are not here either;
// CheckCommit only says whether a member may commit.
package group
