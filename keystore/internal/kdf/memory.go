package kdf

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
)

// MemoryError says that a derivation needs more memory than there is. Going on
// would get the process killed halfway.
type MemoryError struct {
	Need, Available int // bytes
}

func (e *MemoryError) Error() string {
	return fmt.Sprintf("deriving the key needs %d MiB of memory, and %d MiB are available", e.Need/mib, e.Available/mib)
}

// headroom is what the rest of the process may need beside a derivation.
const headroom = 16 * mib

func checkMemory(need int) error {
	if need < 64*mib {
		return nil
	}
	if got := available(); got < need+headroom {
		return &MemoryError{Need: need, Available: got}
	}
	return nil
}

// available returns how many bytes this process can still get, or MaxInt where
// the system does not say. A container's limit can be tighter than the machine.
func available() int {
	return min(availableMeminfo("/proc/meminfo"), availableCgroup("/sys/fs/cgroup"))
}

// availableMeminfo reads Linux' estimate of what can be had without swapping
// (proc_meminfo(5), MemAvailable, in KiB), and the free swap.
func availableMeminfo(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return math.MaxInt
	}
	total, found := 0, false
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		if name != "MemAvailable" && name != "SwapFree" {
			continue
		}
		kib, err := strconv.Atoi(strings.TrimSuffix(strings.TrimSpace(rest), " kB"))
		if err != nil {
			return math.MaxInt
		}
		total += kib * 1024
		found = found || name == "MemAvailable"
	}
	if !found {
		return math.MaxInt
	}
	return total
}

// availableCgroup reads the room under a version-2 control group's limit. File
// caches count as used there although they make way (inactive_file in
// memory.stat), so they count as room here.
func availableCgroup(dir string) int {
	limit, ok := readNumber(dir + "/memory.max")
	used, ok2 := readNumber(dir + "/memory.current")
	if !ok || !ok2 {
		return math.MaxInt // no limit ("max"), or no such group
	}
	return max(limit-used+inactiveFile(dir+"/memory.stat"), 0)
}

func inactiveFile(path string) int {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "inactive_file "); ok {
			n, _ := strconv.Atoi(strings.TrimSpace(rest))
			return n
		}
	}
	return 0
}

func readNumber(path string) (int, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return n, err == nil
}
