package provider

import (
	"bytes"
	"fmt"
	"os"
)

// startOf is when a process was started, in ticks since the machine was (proc_pid_stat(5), field 22), with the id of that boot; "" where
// nobody says. Process ids come back, and with this they are told apart.
func startOf(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // its name, field 2, may have blanks
	if len(fields) < 20 {
		return ""
	}
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return string(fields[19]) + " " + string(bytes.TrimSpace(boot))
}
