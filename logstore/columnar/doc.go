// Package columnar is the codec of columnar topics: record batches whose payload is one Arrow record batch.
//
// Such a batch has Kafka's 61-byte header with attribute bit 0x100 set; its record count is the number of rows, so that
// every row has an offset as if it were a record. The payload is the Arrow record-batch message that column.EncodeBatch
// writes, without schema: the topic's configuration has it. The engine reads the payload where it lies; Kafka clients,
// which know nothing of the bit, are given the same rows as JSON records with the same offsets.
//
//	produce: batch ── Encode ──▶ header | Arrow message          engine: ── Decode ──▶ batch over the same memory
//	                                                             Kafka:  ── AppendRows ──▶ header' | JSON records
//
// All rows of a batch have one timestamp, the header's. The package does no I/O and knows nothing of topics.
package columnar
