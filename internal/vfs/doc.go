// Package vfs is the file system as an interface, so that tests can lose power and fill the disk.
//
// OS is the machine's file system. Mem keeps files in memory, knows which bytes and names were synced, and gives a copy
// as a crash would leave it. Shadow does the same beside the files of the machine. Fault wraps another one and fails what a test tells it to.
//
// The package knows nothing of what the files mean.
package vfs
