// Package share is the share group of KIP-932 as two pure state machines: who is in the group and fetches from where, and, for
// each partition, which records are with whom.
//
// A Group hands partitions to members, several members to one partition if there are more members. Nobody has to let go of
// anything, so a member's epoch is the group's.
//
// A Partition is a window over the log, from the first record that is not done to the last that somebody was given:
//
//	           acquire                       accept, gap, reject; release or lock over at the delivery limit
//	Available ─────────> Acquired, by a member ─────────────────────────────────────────────────> Done
//	    ^                     │  until its lock is over; renew sets the lock anew
//	    └─────────────────────┘  release, or the lock is over
//
//	offset:   start                                end
//	  done │  ▒▒▒▒░░░▒▒▒▒████░░░░████ │  not given to anybody yet
//
// The window moves on when its first records are done. What a node keeps of it is start, and of each span after it whether it
// is done and how often it was delivered; locks are in memory, and over when another node leads the partition.
//
// The package has no goroutine, no clock, no I/O and no random numbers.
package share
