package tier

// Stats are numbers about a node's use of the tier.
type Stats struct {
	Partitions  int   // that the node serves
	Failing     int   // whose last round failed; they are tried again
	Objects     int   // that readers see, of those partitions
	Bytes       int64 // of those objects
	CacheBytes  int64 // of what was read and is in memory
	CacheHits   int64
	CacheMisses int64
}

// Stats are the numbers now.
func (t *Tier) Stats() Stats {
	var s Stats
	for _, p := range t.Partitions() {
		p.mu.Lock()
		s.Partitions++
		if p.lastErr != nil {
			s.Failing++
		}
		s.Objects += len(p.entries)
		for i := range p.entries {
			s.Bytes += p.entries[i].Size
		}
		p.mu.Unlock()
	}
	s.CacheBytes, s.CacheHits, s.CacheMisses = t.cache.size()
	return s
}
