// Package kdf turns passphrases into keys, at the cost that each keyfile
// format prescribes. All costs stand here, and nowhere else.
package kdf

import (
	"crypto/pbkdf2"
	"crypto/sha256"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync/atomic"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/scrypt"
)

// KeySize is the size of every derived key in bytes, except Ansible's.
const KeySize = 32

const mib = 1 << 20

// naclSalt is the salt of every $NACL keyfile. It is public and fixed, so that
// equal passphrases give equal keys (bittensor-wallet, src/keyfile.rs).
var naclSalt = [16]byte{0x13, 0x71, 0x83, 0xdf, 0xf1, 0x5a, 0x09, 0xbc, 0x9c, 0x90, 0xb5, 0x51, 0x87, 0x39, 0xe9, 0xb1}

// fernetSalt is the salt of every legacy Fernet keyfile.
const fernetSalt = "Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins"

// cost is the work that one derivation takes: passes, and memory in bytes.
// PBKDF2 counts rounds and takes no memory worth naming.
type cost struct {
	passes int
	memory int
}

// The costs of the formats. NaCl's is libsodium's "sensitive" for Argon2i.
var (
	naclCost    = cost{passes: 8, memory: 512 * mib}
	agcliCost   = cost{passes: 4, memory: 256 * mib}
	ansibleCost = cost{passes: 10_000}
	fernetCost  = cost{passes: 10_000_000}
)

// weak is set by tests alone, through package keystoretest: it makes every
// derivation of fixed cost cheap, and its results useless outside that process.
var weak atomic.Bool

// Weaken sets whether derivations are cheap, and returns what was set before.
// Only package keystoretest calls it.
func Weaken(on bool) (before bool) { return weak.Swap(on) }

func (c cost) effective() cost {
	if !weak.Load() {
		return c
	}
	return cost{passes: min(c.passes, 1), memory: min(c.memory, mib/8)}
}

// NaCl derives the key of a $NACL keyfile: Argon2i version 0x13, 8 passes, 512
// MiB, one lane. It takes seconds. The error is a *MemoryError.
func NaCl(passphrase []byte) ([]byte, error) {
	return withMemory(naclCost.effective(), func(c cost) []byte {
		return argon2.Key(passphrase, naclSalt[:], uint32(c.passes), uint32(c.memory/1024), 1, KeySize)
	})
}

// ReadyForNaCl returns the *MemoryError that NaCl would return now.
func ReadyForNaCl() error { return checkMemory(naclCost.effective().memory) }

// Agcli derives the key of an agcli coldkey: Argon2id version 0x13, 4 passes,
// 256 MiB, one lane. The error is a *MemoryError.
func Agcli(passphrase, salt []byte) ([]byte, error) {
	return withMemory(agcliCost.effective(), func(c cost) []byte {
		return argon2.IDKey(passphrase, salt, uint32(c.passes), uint32(c.memory/1024), 1, KeySize)
	})
}

// AnsibleSize is how many bytes Ansible Vault derives: a cipher key of 32, a
// MAC key of 32 and an initial counter of 16.
const AnsibleSize = 80

// Ansible derives the keys of an Ansible Vault 1.1 file: PBKDF2-HMAC-SHA256,
// 10,000 rounds.
func Ansible(passphrase, salt []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(passphrase), salt, ansibleCost.effective().passes, AnsibleSize)
}

// Fernet derives the key of a legacy Fernet keyfile: PBKDF2-HMAC-SHA256, ten
// million rounds. It takes seconds.
func Fernet(passphrase []byte) ([]byte, error) {
	return pbkdf2.Key(sha256.New, string(passphrase), []byte(fernetSalt), fernetCost.effective().passes, KeySize)
}

// Scrypt derives the key of a Polkadot-JS export. Its parameters stand in the
// file, which is an attacker's input, so they are bounded: N a power of two up
// to 2^18, r up to 16, p up to 4, and 512 MiB of memory together. The largest
// that Polkadot-JS itself writes is N=2^17, r=8, p=1.
func Scrypt(passphrase, salt []byte, n, p, r uint32) ([]byte, error) {
	if err := checkScrypt(n, p, r); err != nil {
		return nil, err
	}
	if err := checkMemory(128 * int(n) * int(r)); err != nil {
		return nil, err
	}
	defer giveBack(128 * int(n) * int(r))
	return scrypt.Key(passphrase, salt, int(n), int(r), int(p), KeySize)
}

func checkScrypt(n, p, r uint32) error {
	switch {
	case n < 2 || n&(n-1) != 0 || n > 1<<18:
		return fmt.Errorf("scrypt cost N=%d is not a power of two up to %d", n, 1<<18)
	case r < 1 || r > 16:
		return fmt.Errorf("scrypt block size r=%d is not 1 to 16", r)
	case p < 1 || p > 4:
		return fmt.Errorf("scrypt parallelism p=%d is not 1 to 4", p)
	case 128*uint64(n)*uint64(r)+128*uint64(r)*uint64(p) > 512*mib+mib:
		return fmt.Errorf("scrypt cost N=%d, r=%d needs more than 512 MiB", n, r)
	}
	return nil
}

func withMemory(c cost, derive func(cost) []byte) ([]byte, error) {
	if err := checkMemory(c.memory); err != nil {
		return nil, err
	}
	defer giveBack(c.memory)
	return derive(c), nil
}

// giveBack returns a derivation's memory to the system at once. Without it two
// derivations in a row hold twice the memory (1.05 GB measured).
func giveBack(memory int) {
	if memory < 64*mib {
		return
	}
	runtime.GC()
	debug.FreeOSMemory()
}
