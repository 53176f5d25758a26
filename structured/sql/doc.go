// Package sql turns text in Spark's dialect into unresolved plans and expressions.
//
//	text ──lex──▶ tokens ──parse──▶ logical.Plan (names unresolved, positions kept)
//	                  └─▶ *usererr.Error with line, column, what was found, what was expected and the likely slip
//
// The parser is recursive descent, with binding powers for operators (expr.go). Keywords are not reserved: a word is a
// keyword only where the grammar asks for one, so columns may be called timestamp, offset or key. What Spark accepts and
// this engine does not run is refused by name (UNSUPPORTED_FEATURE.*), never ignored.
//
// Beyond Spark it knows CREATE STREAMING QUERY, STOP QUERY, SHOW QUERIES, WATERMARK FOR in a table's column list and
// FROM t WATERMARK ts DELAY …. The package looks nothing up: tables, columns and functions are names here.
package sql
