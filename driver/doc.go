// Package driver turns plans into running jobs: sessions, the cluster of executors, and the streaming queries.
//
//	session.go   a session is a structured.Backend: it parses, analyses, optimises, plans, and runs
//	cluster.go   joins the scheduler and the executors; a Job runs any number of times
//	queries.go   streaming queries: their replicated record, their loop, their recovery when the node starts
//	write.go     a batch write is one transaction, which a crash leaves done or undone
//
// The driver's clients speak Spark Connect (driver/connect), also when they are in the same process. The package never
// imports executor: executors are given to it.
package driver
