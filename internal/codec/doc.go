// Package codec turns values into bytes and back: operators, expressions and task orders as they travel between processes.
//
// It works by reflection over exported fields, so a new operator or expression node needs no code here; it needs a name:
//
//	func init() { codec.Register("physical.Filter", (*Filter)(nil)) }
//
// Encoding is deterministic: equal values give equal bytes (maps are sorted), so the hash of the bytes names the value.
// A value in an interface is preceded by its type's registered name, an any-typed literal by the name of its Go type; no
// Go type is ever confused with another. Unexported fields, and fields tagged `codec:"-"`, stay behind.
//
//	value   = version(1 byte) name value
//	bool    = 0 | 1                      float   = 4 or 8 bytes, little endian
//	int     = zigzag varint              uint    = varint
//	string  = varint length, bytes       array   = elements
//	slice   = varint 0 for nil, else length+1, then elements (bytes as they are)
//	map     = varint 0 for nil, else length+1, then key-value pairs in ascending order of the keys' bytes
//	pointer = 0 | 1 value                interface = string name ("" for nil), value
//	struct  = varint length of what follows, the exported fields in order
//	batch   = schema, rows, then the columns in the form of shuffle files (column.EncodeBatch)
//
// A struct that has fewer bytes than fields leaves the last fields zero, so a field may be added at the end of a struct;
// one that has more bytes than fields was written by a newer release and is refused. Decoding never panics and never
// allocates much more than its input, whatever the input.
package codec
