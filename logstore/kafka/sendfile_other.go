//go:build !linux

package kafka

import (
	"errors"
	"net"
	"os"
)

const canSendFiles = false

func sendFile(*net.TCPConn, *os.File, int64, int64) error { return errors.ErrUnsupported }
