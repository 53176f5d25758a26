package broker

import "path/filepath"

// LogDir is the one directory that holds this node's partitions.
func (b *Broker) LogDir() string { return filepath.Join(b.opts.Dir, "log") }

// Volume is the size of the volume that the log directory is on, and what of it is free; -1 and -1 where the system does not
// say.
func (b *Broker) Volume() (total, usable int64) { return volume(b.LogDir()) }
