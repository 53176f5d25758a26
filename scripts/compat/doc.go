// Command compat runs test suites that others wrote for Kafka against our node, and compares what passes with a record.
//
//	go run ./scripts/compat                        all suites, one node
//	COMPAT_NODES=3 go run ./scripts/compat         a cluster of three
//	COMPAT_SUITES=kgo,librdkafka …                 some of them
//	go run ./scripts/compat --update               record what was seen
//
// No part of a foreign suite is in this repository: suites/NAME.sh fetches it from a public package registry into the cache
// (.cache/compat) and builds it there. What cannot be had is said, "skipped: why", and is no failure.
//
//	suites/NAME.sh prepare   fetch and build
//	suites/NAME.sh run       run against $COMPAT_BOOTSTRAP, results into $COMPAT_OUT
//	       │
//	       ▼ *.gotest  *.librdkafka  *.junit  *.lines
//	parse ── cases ── baseline.json: failures that are known, each with its reason
//	                      │
//	                      ▼
//	        a table, what is new, exit code 1 if something that used to pass does not
//
// A case that fails and is not known is run once more, alone; a case that passes then is counted as passed and named.
// Every suite gets a node, or a cluster, with an empty data directory.
package main
