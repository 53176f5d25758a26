// Command tpchcheck runs the 22 queries of TPC-H through sfsubmit sql, each in a process of its own with a memory limit, compares the
// rows with DuckDB's answers, and prints the most memory that each process had (resident, as Linux counts it):
//
//	go run ./scripts/tpchcheck -tables DIR -sf 10 -memory 2GiB
//
// It ends with exit code 1 if a query fails, answers otherwise or was resident in more than the limit.
package main
