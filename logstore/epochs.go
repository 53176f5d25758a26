package logstore

// epochStart is where a leader epoch's first batch is.
type epochStart struct {
	epoch int32
	start int64
}

// epochs is a partition's leader epochs, oldest first.
type epochs []epochStart

// note takes a batch's leader epoch; batches without one (-1) and older ones change nothing.
func (e *epochs) note(epoch int32, base int64) {
	if n := len(*e); epoch >= 0 && (n == 0 || epoch > (*e)[n-1].epoch) {
		*e = append(*e, epochStart{epoch, base})
	}
}

// end finds the greatest epoch that is at most epoch, and the offset at which it ends: where the next one begins, or the
// log's end. An epoch beyond the newest is not known here: -1, -1.
func (e epochs) end(epoch int32, logEnd int64) (int32, int64) {
	if len(e) == 0 || epoch > e[len(e)-1].epoch {
		return -1, -1
	}
	for i := len(e) - 1; i >= 0; i-- {
		if e[i].epoch <= epoch {
			if i+1 < len(e) {
				return e[i].epoch, e[i+1].start
			}
			return e[i].epoch, logEnd
		}
	}
	return epoch, e[0].start // older than everything: it has no records here
}
