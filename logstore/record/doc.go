// Package record reads and writes Kafka record batches, version 2.
//
// A Batch is a view over the bytes of one batch: brokers look at its header, stamp its offsets in place and move it
// around whole. An Iterator decodes the records of a batch; a Builder makes batches. Both know every codec.
//
//	offset  0        8       12      16 17  21         23               27             35
//	        base off | length | epoch |2 |CRC| attributes | last off delta | base timestamp | max timestamp
//	       43            51               53              57      61
//	        producer id | producer epoch | base sequence | count | records ...
//
// The CRC32C covers everything from the attributes on. See docs/format/record-batch.md.
//
// The package does no I/O, and it treats Arrow payloads (attribute bit 0x100) as opaque bytes.
package record
