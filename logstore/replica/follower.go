package replica

// Log is where a follower's log stands.
type Log struct {
	Start   int64
	Durable int64 // end of what is on its disk
	End     int64
	Epochs  Epochs
}

// Fetch is what a follower asks its leader.
type Fetch struct {
	Node             int32
	BrokerEpoch      int64 // of the follower's uptime session (KIP-903)
	From             int64 // end of what is on its disk
	Epoch            int32 // the leader epoch that it knows (KIP-320)
	LastFetchedEpoch int32 // of the batch before From; -1 if there is none (KIP-595)
}

// Fetch is the log's next fetch. It asks from the end of what is on disk, which is how the leader hears of it.
func (l Log) Fetch(node int32, brokerEpoch int64, epoch int32) Fetch {
	return Fetch{Node: node, BrokerEpoch: brokerEpoch, From: l.Durable, Epoch: epoch, LastFetchedEpoch: l.Epochs.Of(l.Durable)}
}

// Response is what a leader answers.
type Response struct {
	Diverging  *DivergingEpoch
	OutOfRange bool // the log does not end between the leader's log start and its end
	LogStart   int64
	Base       int64 // of the batches that came; -1 if none did
}

// StepKind says what a follower does next.
type StepKind int

const (
	Wait    StepKind = iota // nothing new, or a response to an older fetch
	Append                  // take the batches
	Cut                     // cut the log at At
	Restart                 // drop everything and begin anew at At
)

// Step is what a follower does with a response.
type Step struct {
	Kind StepKind
	At   int64
}

// Step decides what a follower does with a response to its last fetch.
func (l Log) Step(r Response) Step {
	switch {
	case r.Diverging != nil:
		return Step{Kind: Cut, At: l.Epochs.CutAt(*r.Diverging, l.End)}
	case r.OutOfRange && r.LogStart >= 0 && (l.End < r.LogStart || l.Start == l.End && l.Start != r.LogStart):
		return Step{Kind: Restart, At: r.LogStart}
	case r.Base == l.End && r.Base >= 0:
		return Step{Kind: Append}
	}
	return Step{Kind: Wait}
}
