// Command benchlog measures the log beside Apache Kafka: the same machine, the same load client, one server at a time.
//
//	scripts/bench-log.sh              (make bench-log) fetches Kafka's jars from Maven and runs this
//
//	            ┌ streamflow serve                              every acknowledgement after an fsync
//	load ──────▶│ Kafka, log.flush.interval.messages=1          the same promise
//	bench       └ Kafka as it comes                             acknowledges from the page cache, no fsync
//	produce|consume
//
// Each case is run several times and the best run counts: the machine has other tenants. Beside the servers stand the limits
// of the machine: how often the disk syncs, how fast it writes and how fast the page cache reads. JSON lines go to standard
// output as they are measured, the table to standard error at the end. Nothing is asserted.
package main
