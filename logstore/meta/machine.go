package meta

// Machine is one deterministic state machine. Apply, Snapshot and Restore are called from one goroutine, in log order.
type Machine interface {
	// Name names the machine in the log and in snapshots; it must never change.
	Name() string
	// Apply carries out a command. The result or error goes to the proposer; an error must leave the state as it was, and
	// must itself be a function of state and command alone.
	Apply(cmd []byte) ([]byte, error)
	// Snapshot returns the whole state; the bytes are not changed by later commands.
	Snapshot() []byte
	// Restore replaces the whole state with one that Snapshot returned.
	Restore(state []byte) error
}
