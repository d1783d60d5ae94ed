// Package e2e runs the built binary against the chain's real runtime: every script
// in testdata/script, on every chain spec that $TAOCTL_CHAINSPECS holds. README.md
// says how. Its tests stand behind the build tag e2e, so that go test ./... needs
// neither Node.js nor a chain spec.
package e2e
