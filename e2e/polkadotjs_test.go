//go:build e2e && unix

package e2e

import (
	"os/exec"
	"testing"
)

// TestPolkadotJS has polkadot.js do to the devnet's real runtimes what localnet's
// self-test does to Chopsticks: connect, read the metadata, sign by every kind of
// key, send, follow, read events, fees and runtime APIs, and be refused.
func TestPolkadotJS(t *testing.T) {
	specs := findSpecs(t)
	requireLocalnet(t)
	bin := build(t)
	for _, n := range nodes() {
		if n.name != "devnet" {
			continue // localnet's own tests do it there
		}
		for _, spec := range n.chains(specs) {
			t.Run(specName(spec), func(t *testing.T) {
				checks := "balances,wrappers,signing,fees,apis"
				if spec == embedded { // which has no keys of Ethereum's scheme
					checks = "balances,wrappers"
				}
				c := n.start(t, bin, spec)
				out, err := exec.CommandContext(t.Context(), "node", "localnet/selftest.mjs", c.URL, "--only", checks).CombinedOutput()
				if err != nil {
					t.Errorf("%v\n%s", err, out)
				}
				t.Logf("%s", out[max(0, len(out)-200):])
			})
		}
	}
}
