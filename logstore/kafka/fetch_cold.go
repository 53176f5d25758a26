package kafka

import "github.com/streamflow/streamflow/logstore"

// coldFetch is a partition's read of the cold tier (KIP-405) that the request waits for, beside all else that it waits
// for. It outlives the request in a session; without one, what it brings is found in the tier's cache.
type coldFetch struct {
	read *logstore.ColdRead
	from int64
	told bool // the set's watcher is told when it is done
}

// readLog is the partition's Read. What lies in the cold tier is not waited for here: the partition has nothing until the
// tier has answered, and is looked at again then.
func (f *fetchCall) readLog(p *fetchPart, limit int) (logstore.ReadResult, error) {
	if p.cold.read == nil || p.cold.from != p.from {
		read := p.part.Read
		if sendsFiles(f.c.nc) && p.topic.Format() != "arrow" {
			read = p.part.ReadRange
		}
		res, err := read(p.from, limit, f.committed)
		p.cold = coldFetch{read: res.Remote, from: p.from}
		if err != nil || res.Remote == nil {
			return res, err
		}
	}
	select {
	case <-p.cold.read.Done():
		r := p.cold.read
		p.cold = coldFetch{}
		res, err := r.Result()
		res.HighWatermark, res.LastStable, res.LogStart = p.res.HighWatermark, p.res.LastStable, p.res.LogStart // they never move back
		return res, err
	default:
	}
	if w := f.set.watcher; w != nil && !p.cold.told {
		p.cold.told = true
		p.cold.read.Notify(w, p.tag)
	}
	return p.res, nil
}
