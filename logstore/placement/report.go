package placement

import "math"

// Report says how evenly partitions lie on brokers.
type Report struct {
	Brokers  []BrokerLoad
	Replicas Spread
	Leaders  Spread
	Bytes    Spread
}

// BrokerLoad is what one broker has.
type BrokerLoad struct {
	ID       int32
	Replicas int
	Leaders  int
	Bytes    int64
}

// Spread is how far brokers are from the mean, each relative to its weight.
type Spread struct {
	Mean    float64
	Max     float64
	CV      float64 // coefficient of variation: standard deviation over mean; 0 is even
	MaxMean float64 // max over mean; 1 is even
}

// Balance reports on partitions. leader says who leads one now.
func (r *Ring) Balance(all []Partition, leader func(Partition) int32) Report {
	loads := map[int32]*BrokerLoad{}
	rep := Report{Brokers: make([]BrokerLoad, len(r.brokers))}
	for i, b := range r.brokers {
		rep.Brokers[i].ID = b.ID
		loads[b.ID] = &rep.Brokers[i]
	}
	for _, p := range all {
		for _, id := range p.Replicas {
			if l := loads[id]; l != nil {
				l.Replicas++
				l.Bytes += p.Bytes
			}
		}
		if l := loads[leader(p)]; l != nil {
			l.Leaders++
		}
	}
	rep.Replicas = r.spreadOf(rep.Brokers, func(l BrokerLoad) float64 { return float64(l.Replicas) })
	rep.Leaders = r.spreadOf(rep.Brokers, func(l BrokerLoad) float64 { return float64(l.Leaders) })
	rep.Bytes = r.spreadOf(rep.Brokers, func(l BrokerLoad) float64 { return float64(l.Bytes) })
	return rep
}

func (r *Ring) spreadOf(loads []BrokerLoad, of func(BrokerLoad) float64) Spread {
	var s Spread
	n := float64(len(loads))
	if n == 0 {
		return s
	}
	var sum, squares float64
	for _, l := range loads {
		v := of(l) / (r.weightOf(l.ID) * n / r.weight)
		sum += v
		squares += v * v
		s.Max = max(s.Max, v)
	}
	if s.Mean = sum / n; s.Mean > 0 {
		s.CV = math.Sqrt(max(0, squares/n-s.Mean*s.Mean)) / s.Mean
		s.MaxMean = s.Max / s.Mean
	}
	return s
}
