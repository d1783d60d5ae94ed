// Package wallets checks the keystore against the wallets that others use, in
// both directions: the official Bittensor wallets (the Python packages
// bittensor-wallet, which btcli 9 stands on, and bittensor-core, which btcli 11
// stands on) and Polkadot-JS. Each is installed into a temporary folder, by
// requirements.txt and package-lock.json. Its tests stand behind the build tag
// e2e. What cannot be installed is skipped, and the test says so; with
// TAOCTL_E2E_REQUIRE set it fails instead.
package wallets
