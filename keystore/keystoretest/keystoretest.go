// Package keystoretest makes key derivation cheap in tests. Only tests import
// it: it is the one door to that switch, and it needs a testing.TB.
package keystoretest

import (
	"testing"

	"github.com/taoctl/taoctl/keystore/internal/kdf"
)

// WeakKDF makes $NACL, Ansible, Fernet and agcli derivations cheap until the
// test ends. Files written meanwhile open only under a weak derivation, and
// real files do not open. It is one switch for the whole process: tests that
// need the real cost must not run in parallel with it.
func WeakKDF(tb testing.TB) {
	tb.Helper()
	before := kdf.Weaken(true)
	tb.Cleanup(func() { kdf.Weaken(before) })
}

// WeakKDFForProcess does the same for the whole life of a process that a test
// started from its own binary, such as a command of a test script, where there
// is no testing.TB. It panics outside test binaries.
func WeakKDFForProcess() {
	if !testing.Testing() {
		panic("keystoretest: weak key derivation outside a test")
	}
	kdf.Weaken(true)
}
