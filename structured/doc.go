// Package structured is the DataFrame API: sessions, DataFrames, columns, functions, readers, writers and streaming
// queries, with Spark's names and meanings.
//
// A DataFrame is a plan and the session that can run it. Nothing runs until an action (Collect, Count, Show, Write,
// Start) hands the plan to the session's Backend, which is the one seam between programs and engines:
//
//	SQL text ┐                                       ┌─ driver session, in this process
//	DataFrame├─▶ logical.Plan ─▶ Backend (interface) ┤
//	Connect  ┘                                       └─ connect.Client ─▶ sc://host:15002, ours or Apache Spark's
//
// A mistake made while a DataFrame is built (no such function, a bad literal) is kept in it and returned by the action;
// nothing here panics on user input.
//
// The package never plans, optimises or reads data.
package structured
