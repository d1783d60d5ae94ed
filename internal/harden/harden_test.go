//go:build linux

package harden

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Hardening cannot be undone, so it happens in a child.
func TestProcess(t *testing.T) {
	if os.Getenv("TEST_HARDEN") == "" {
		c := exec.Command(os.Args[0], "-test.run=TestProcess", "-test.v")
		c.Env = append(os.Environ(), "TEST_HARDEN=1")
		out, err := c.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "PASS: TestProcess") {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	if err := Process(); err != nil {
		t.Fatal(err)
	}
	var core unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &core); err != nil || core.Cur != 0 || core.Max != 0 {
		t.Errorf("core limit %+v, %v", core, err)
	}
	if dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || dumpable != 0 {
		t.Errorf("dumpable %d, %v", dumpable, err)
	}
}
