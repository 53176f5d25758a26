package broker

import "syscall"

func volume(dir string) (total, usable int64) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return -1, -1
	}
	return int64(s.Blocks) * s.Bsize, int64(s.Bavail) * s.Bsize
}
