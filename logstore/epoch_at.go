package logstore

// EpochAt is the leader epoch under which the record at an offset was appended, or would be that comes next; -1 when it is
// not known.
func (p *Partition) EpochAt(offset int64) int32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.epochs.Of(offset + 1)
}
