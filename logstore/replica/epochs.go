package replica

// EpochStart is where a leader epoch's first batch is.
type EpochStart struct {
	Epoch int32
	Start int64
}

// Epochs is a log's leader epochs, oldest first. Both numbers grow from one to the next.
type Epochs []EpochStart

// Note takes the leader epoch of a batch that is appended at base, or of a leader that begins there; batches without one (-1)
// change nothing. An epoch that began at base or behind it has no batch: a leader of it wrote nothing that stayed. It is
// forgotten, or it would hide what an older epoch's leader had written there (KIP-101's cache is monotonic in both).
func (e *Epochs) Note(epoch int32, base int64) {
	n := len(*e)
	if epoch < 0 || n > 0 && (*e)[n-1].Epoch == epoch {
		return
	}
	for n > 0 && (*e)[n-1].Start >= base {
		n--
	}
	*e = (*e)[:n:n]
	if n == 0 || (*e)[n-1].Epoch < epoch {
		*e = append(*e, EpochStart{epoch, base})
	}
}

// Last is the newest epoch, or -1.
func (e Epochs) Last() int32 {
	if n := len(e); n > 0 {
		return e[n-1].Epoch
	}
	return -1
}

// Of is the epoch of the batch before offset; -1 if there is none.
func (e Epochs) Of(offset int64) int32 {
	for i := len(e) - 1; i >= 0; i-- {
		if e[i].Start < offset {
			return e[i].Epoch
		}
	}
	return -1
}

// End finds the greatest epoch that is at most epoch, and the offset at which it ends: where the next one begins, or the
// log's end. An epoch beyond the newest is not known here: -1, -1.
func (e Epochs) End(epoch int32, logEnd int64) (int32, int64) {
	if len(e) == 0 || epoch > e[len(e)-1].Epoch {
		return -1, -1
	}
	for i := len(e) - 1; i >= 0; i-- {
		if e[i].Epoch <= epoch {
			if i+1 < len(e) {
				return e[i].Epoch, e[i+1].Start
			}
			return e[i].Epoch, logEnd
		}
	}
	return epoch, e[0].Start // older than everything: it has no records here
}

// Cut drops what a log that now ends at end no longer holds.
func (e *Epochs) Cut(end int64) {
	n := len(*e)
	for n > 0 && (*e)[n-1].Start >= end {
		n--
	}
	*e = (*e)[:n:n]
}

// DivergingEpoch tells a follower where its log left the leader's: the leader's greatest epoch that is at most the
// follower's last one, and where that ends (KIP-595).
type DivergingEpoch struct {
	Epoch int32
	End   int64
}

// Diverging compares a follower's log, which ends at from with a batch of epoch last, with the leader's: nil if one is the
// beginning of the other.
func (e Epochs) Diverging(last int32, from, logEnd int64) *DivergingEpoch {
	if last < 0 {
		return nil // the follower has no batch
	}
	epoch, end := e.End(last, logEnd)
	if epoch < 0 { // the follower knows epochs that this leader never heard of
		epoch, end = e.Last(), logEnd
	}
	if epoch < last || end < from {
		return &DivergingEpoch{Epoch: epoch, End: end}
	}
	return nil
}

// CutAt is where a log that ends at logEnd is to be cut after it diverged.
func (e Epochs) CutAt(d DivergingEpoch, logEnd int64) int64 {
	_, end := e.End(d.Epoch, logEnd)
	if end < 0 { // everything here is older than the leader's epoch
		end = logEnd
	}
	return min(end, d.End, logEnd)
}
