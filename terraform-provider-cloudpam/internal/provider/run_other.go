//go:build !linux

package provider

import (
	"context"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// startOf is when a process was started, as ps(1) says; "" where there is none. Process ids come back, and with this they are told
// apart.
func startOf(pid int) string {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	started, _ := exec.CommandContext(ctx, "ps", "-o", "lstart=", "-p", strconv.Itoa(pid)).Output()
	return strings.TrimSpace(string(started))
}
