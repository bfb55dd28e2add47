package provider

import (
	"crypto/sha256"
	"fmt"
	"os"
)

// thisRun names the command of Terraform that this process serves. Each provider block of each phase has a process of its own, and
// all of a command must be one run, or the blocks of one plan would displace each other's promises. What they share is the
// process that started them: its id, when it was started, and the machine. In a process that nobody started, as in a debugger, all
// commands are one run, and promises of thrown-away plans just stay until they expire.
func thisRun() string {
	host, _ := os.Hostname()
	parent := os.Getppid()
	digest := sha256.Sum256(fmt.Appendf(nil, "%s %d %s", host, parent, startOf(parent)))
	return fmt.Sprintf("%x", digest[:10])
}
