package logstore

// parkedExt ends the names of files that hold what the write-ahead log had of a damaged partition.
const parkedExt = ".parked"
