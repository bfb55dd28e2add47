package store

import (
	"syscall"
	"time"
)

const tcpUserTimeout = 18 // TCP_USER_TIMEOUT, which package syscall does not name

// giveUpAfter bounds how long sent bytes may stay unconfirmed; keepalive alone looks at idle connections only.
func giveUpAfter(fd uintptr, limit time.Duration) error {
	return syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpUserTimeout, int(limit.Milliseconds()))
}
