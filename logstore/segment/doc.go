// Package segment keeps a run of record batches in a file, and finds offsets and times in it.
//
//	00000000000000004096.log        batches, one after the other, verbatim
//	00000000000000004096.index      every ~16 KiB: offset -> position; summary of the file; CRC
//	00000000000000004096.timeindex  at the same places: the greatest timestamp before; CRC
//
// A segment has one writer, who appends and syncs, and any number of readers. The indexes are derived: they are written
// when the segment is sealed or put to rest, and rebuilt from the batches when they are missing, damaged or short. The
// batches are the truth: one that fails its CRC is CORRUPT_SEGMENT, with file and position, and is never served.
//
// The package knows nothing of producers, transactions or high watermarks. See docs/format/segment.md for the bytes.
package segment
