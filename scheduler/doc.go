// Package scheduler turns a job into tasks on executors. It is pure: Step takes an event and returns actions; there is no
// goroutine, clock or I/O inside, and equal events give equal actions.
//
//	rdd.RDD ──Stages──▶ []Stage     cut at shuffle and broadcast dependencies, parents before children
//
//	   Submit ─┐                                        ┌─▶ Begin   a stage's parents are complete
//	 TaskEnded ├─▶ Step ─▶ stages, outputs, pools ─▶    ├─▶ Launch  a task on an executor, reading these map outputs
//	  Executor ┘          (jobs in order, slots free)   ├─▶ Kill    an attempt nobody needs any more
//	                                                    └─▶ Finish  the job is done, or failed
//
// A stage is ready when every map output that it reads exists. When an output is lost, because its executor is or because
// a task could not fetch it, only that map task runs again (lineage), and the stages that read it wait. Reports of one loss
// by several tasks lead to one new attempt: a report names the attempt that it could not read, and is stale once another
// has been ordered.
package scheduler
