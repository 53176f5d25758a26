// Package catalog resolves names: the node's tables and views, and a session's temporary views in front of them.
//
//	name ──▶ session's temporary views ──▶ definitions (Entries) ──▶ tables that exist by themselves (Owner: topics)
//	              plan                        table by provider │ view as SQL text
//
// It keeps no data and opens no files: tables are made by providers, which the node registers by name. What is durable
// lies behind Entries, which the metadata log satisfies; NewMemory is the same catalog without durability.
package catalog
