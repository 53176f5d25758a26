// Package run runs Nexmark's queries on a node in this process: it fills the topics, starts a query, and measures it.
//
//	Open ─▶ Bench ── Load ──▶ topics person, auction, bid      (or tables that make their rows as they are read)
//	                ── History ─▶ rows of a query as a batch
//	                ── Drain ──▶ Lap: a streaming query, exactly once into a topic, from its first event to its last commit
//	                ── Pace ───▶ Lap: the same while events come at a rate, and how long each took to be visible
package run
