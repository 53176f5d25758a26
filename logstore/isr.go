package logstore

// watchISR is the goroutine that looks, every half of the lag time, for followers that lag. It sleeps for good on a node that
// leads no replicated partition.
func (l *Log) watchISR() {
	select {
	case <-l.leads:
	case <-l.stop:
		return
	}
	var tick alarm
	defer tick.clear()
	for {
		tick.set(l.o, l.o.ReplicaLag/2)
		select {
		case <-tick.c:
		case <-l.stop:
			return
		}
		for _, p := range l.open() {
			p.tickISR()
		}
	}
}
