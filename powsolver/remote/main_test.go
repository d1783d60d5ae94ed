package remote_test

import (
	"os"
	"testing"

	"github.com/taoctl/taoctl/powsolver/remotetest"
)

// TestMain makes the test binary a program like taoctl-opencl where the variable
// names its fault.
func TestMain(m *testing.M) {
	if fault := os.Getenv("TAOCTL_TEST_FAKE"); fault != "" {
		os.Exit(remotetest.Fake(fault))
	}
	os.Exit(m.Run())
}
