package embedded

import (
	"encoding/hex"
	"testing"

	"github.com/taoctl/taoctl/tao"
)

// Work that the official client's solver found (bittensor-core 0.1.5) on a chain of
// this runtime, which took it.
func TestSealOfTheOfficialClient(t *testing.T) {
	bytes := func(s string) [32]byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return [32]byte(b)
	}
	seal := sealOf(1, tao.Hash(bytes("15cd16e3ed2f5a38951f4e2774a16c1efe4164808f53f5564ee0c59e85bb21e7")),
		tao.Account(bytes("0a844f24f2436c00342a43e608319435b599b1674930613736aff6fcd92c2e36")),
		tao.Account(bytes("d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d")), 1876688695791384746)
	if seal != bytes("e67121dfa49f3bc0410c0a2d5cc41524f5e50c54ec258d32786f13c404070000") {
		t.Errorf("%x", seal)
	}
	if !meets(seal, 1_000_000) || meets(seal, 1<<40) {
		t.Error("its difficulty")
	}
}
