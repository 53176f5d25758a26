// Package file is the connector for tables that are files: Parquet, CSV, JSON lines, text, and files as they are.
//
// A table is a path, a directory or a glob. Names that begin with '_' or '.' are not part of it, as in Spark. Reading is
// planned once into splits: a row group of a Parquet file, a range of lines of a text file.
//
// Writing is exactly-once. Tasks stage files under names that begin with '.'; Publish writes a manifest, which is the
// commit, and then gives the files their names:
//
//	dir/.staged-<write>-<batch>-<epoch>-<part>-<attempt>.parquet      while the batch runs
//	dir/_streamflow/<write>-<batch>.manifest                         the commit: which files, replacing the others or not
//	dir/part-<part>-<write>-<batch>.parquet                          after it
//
// Publish can be redone at any time: with its manifest there, only renames are left to do. A reader of ours takes a file
// of a manifest under either name, so it sees a batch as a whole; other readers see each file once it has its name.
// See docs/format/file-manifest.md.
package file
