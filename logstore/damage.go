package logstore

import (
	"errors"
	"fmt"

	"github.com/streamflow/streamflow/internal/usererr"
)

// DamageError is a read that met bytes which are not what was written. It wraps the user's error, CORRUPT_SEGMENT.
type DamageError struct {
	Partition TopicPartition
	File      string
	Byte      int64 // in the file; -1: not known
	Offset    int64 // of the log: the damage is at or behind it
	Err       error
}

func (e *DamageError) Error() string {
	return fmt.Sprintf("%s is damaged at or behind offset %d: %v", e.Partition, e.Offset, e.Err)
}

func (e *DamageError) Unwrap() error { return e.Err }

// atOffset gives damage its place in the log, and counts it. Other errors stay what they are.
func (p *Partition) atOffset(err error, offset int64) error {
	ue, ok := usererr.As(err)
	var known *DamageError
	if !ok || ue.Code != codeCorrupt || errors.As(err, &known) {
		return err
	}
	p.log.stats.damagedReads.Add(1)
	file, at := splitWhere(ue.Where)
	return &DamageError{Partition: p.tp, File: file, Byte: at, Offset: offset, Err: err}
}

const codeCorrupt = "CORRUPT_SEGMENT"
