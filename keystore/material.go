package keystore

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha512"
	"errors"
	"fmt"

	"github.com/ChainSafe/go-schnorrkel"
	"github.com/taoctl/taoctl/tao"
	"golang.org/x/crypto/blake2b"
)

// material is a secret key in all the forms that are known of it. Whatever is
// present belongs to the one account.
type material struct {
	scheme  tao.Scheme
	account tao.Account
	private []byte // sr25519: canonical scalar and nonce, 64 bytes; ed25519: the seed, 32 bytes
	seed    []byte // the 32-byte mini-secret; nil if unknown
	phrase  []byte // the mnemonic; nil if unknown, or if it alone would give another key
}

func (m *material) wipe() { wipe(m.private, m.seed, m.phrase) }

const (
	seedSize      = 32
	srPrivateSize = 64
)

var errScheme = errors.New("keys are sr25519 or ed25519")

// fromPrivate takes over the private bytes. An sr25519 secret of 32 bytes is a
// seed (bittensor-wallet, src/keypair.rs); an ed25519 secret of 64 bytes is
// seed and public key.
func fromPrivate(scheme tao.Scheme, private []byte) (*material, error) {
	switch {
	case scheme == tao.Sr25519 && len(private) == srPrivateSize:
		return fromSr25519(private)
	case scheme == tao.Ed25519 && len(private) == ed25519.PrivateKeySize:
		return fromEd25519Pair(private)
	case scheme == tao.Ed25519 && len(private) == ed25519.SeedSize:
		public := ed25519.NewKeyFromSeed(private)
		defer wipe(public)
		return &material{scheme: scheme, account: tao.Account(public[ed25519.SeedSize:]), private: private}, nil
	case scheme == tao.Sr25519 && len(private) == seedSize:
		return fromSeed(scheme, private)
	case scheme != tao.Sr25519 && scheme != tao.Ed25519:
		return nil, fmt.Errorf("a private key of %s: %w", scheme, errScheme)
	}
	return nil, fmt.Errorf("a private key of %d bytes: sr25519 has 64, ed25519 has 32", len(private))
}

func fromSr25519(private []byte) (*material, error) {
	sk := srSecret(private)
	defer wipeSr(sk)
	if bytes.Equal(private[:32], make([]byte, 32)) {
		return nil, errors.New("a private key of zero is no key")
	}
	public, err := sk.Public()
	if err != nil {
		return nil, errors.New("the private key is no canonical scalar and nonce")
	}
	return &material{scheme: tao.Sr25519, account: public.Encode(), private: private}, nil
}

func fromEd25519Pair(pair []byte) (*material, error) {
	m, err := fromPrivate(tao.Ed25519, bytes.Clone(pair[:ed25519.SeedSize]))
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(m.account[:], pair[ed25519.SeedSize:]) {
		m.wipe()
		return nil, errors.New("the two halves of the ed25519 private key disagree")
	}
	wipe(pair)
	return m, nil
}

// fromSeed makes the key of a 32-byte mini-secret, and takes it over.
func fromSeed(scheme tao.Scheme, seed []byte) (*material, error) {
	if len(seed) != seedSize {
		return nil, fmt.Errorf("a seed of %d bytes: it has 32", len(seed))
	}
	private := bytes.Clone(seed)
	if scheme == tao.Sr25519 {
		var err error
		if private, err = expandSr25519(seed); err != nil {
			return nil, fmt.Errorf("expanding a seed: %w", err)
		}
	}
	m, err := fromPrivate(scheme, private)
	if err != nil {
		return nil, err
	}
	m.seed = seed
	return m, nil
}

// fromPhrase makes the key of a checked phrase, and takes it over. With a
// passphrase the phrase is dropped: alone it gives another key, and every
// reader of a file that held it would derive that one.
func fromPhrase(scheme tao.Scheme, phrase, passphrase []byte) (*material, error) {
	seed, err := miniSecret(phrase, passphrase)
	if err != nil {
		return nil, err
	}
	m, err := fromSeed(scheme, seed)
	if err != nil {
		return nil, err
	}
	if len(passphrase) > 0 {
		wipe(phrase)
		return m, nil
	}
	m.phrase = phrase
	return m, nil
}

// derive walks a path. The result knows its private key only: seed and phrase
// belong to the root.
func (m *material) derive(path []byte) (*material, error) {
	js, err := parsePath(path)
	if err != nil || len(js) == 0 {
		return m, err
	}
	private := bytes.Clone(m.private)
	for _, j := range js {
		next, err := deriveStep(m.scheme, private, j)
		wipe(private)
		if err != nil {
			return nil, err
		}
		private = next
	}
	return fromPrivate(m.scheme, private)
}

func deriveStep(scheme tao.Scheme, private []byte, j junction) ([]byte, error) {
	switch {
	case scheme == tao.Ed25519:
		return deriveEd25519(private, j)
	case j.hard:
		return deriveSrHard(private, j)
	}
	return deriveSrSoft(private, j)
}

func deriveSrHard(private []byte, j junction) ([]byte, error) {
	sk := srSecret(private)
	defer wipeSr(sk)
	mini, _, err := sk.HardDeriveMiniSecretKey(nil, j.chain)
	if err != nil {
		return nil, fmt.Errorf("deriving a hard key: %w", err)
	}
	seed := mini.Encode()
	*mini = schnorrkel.MiniSecretKey{}
	defer wipe(seed[:])
	return expandSr25519(seed[:])
}

// deriveSrSoft finds the child's scalar, and so its public key; the nonce half
// is not prescribed, it only seeds signatures.
func deriveSrSoft(private []byte, j junction) ([]byte, error) {
	sk := srSecret(private)
	defer wipeSr(sk)
	ext, err := schnorrkel.DeriveKeySoft(sk, nil, j.chain)
	if err != nil {
		return nil, fmt.Errorf("deriving a soft key: %w", err)
	}
	child, err := ext.Secret()
	if err != nil {
		return nil, fmt.Errorf("deriving a soft key: %w", err)
	}
	defer wipeSr(child)
	scalar := child.Encode()
	defer wipe(scalar[:])
	derived := make([]byte, srPrivateSize)
	copy(derived, scalar[:])
	rand.Read(derived[32:])
	return derived, nil
}

// deriveEd25519 hashes the seed and the chain code (sp-core, src/ed25519.rs,
// derive_hard_junction). Ed25519 has no soft derivation.
func deriveEd25519(seed []byte, j junction) ([]byte, error) {
	if !j.hard {
		return nil, errors.New("ed25519 keys have no soft derivation: write // instead of /")
	}
	text := append(scaleText([]byte("Ed25519HDKD")), seed...)
	text = append(text, j.chain[:]...)
	defer wipe(text)
	child := blake2b.Sum256(text)
	return child[:], nil
}

// srSecret is the library's form of 64 private bytes.
func srSecret(private []byte) *schnorrkel.SecretKey {
	return schnorrkel.NewSecretKey([32]byte(private[:32]), [32]byte(private[32:]))
}

// expandSr25519 turns a mini-secret into scalar and nonce, in the way of
// ed25519, which Substrate prescribes (schnorrkel, src/keys.rs,
// expand_ed25519). The library does not give out the nonce; it is the second
// half of the same hash.
func expandSr25519(seed []byte) ([]byte, error) {
	mini, err := schnorrkel.NewMiniSecretKeyFromRaw([32]byte(seed))
	if err != nil {
		return nil, err
	}
	sk := mini.ExpandEd25519()
	scalar, hash := sk.Encode(), sha512.Sum512(seed)
	defer func() {
		wipeSr(sk)
		*mini = schnorrkel.MiniSecretKey{}
		wipe(scalar[:], hash[:])
	}()
	return append(bytes.Clone(scalar[:]), hash[32:]...), nil
}

// wipeSr overwrites both halves, which lie in unexported fields.
func wipeSr(sk *schnorrkel.SecretKey) { *sk = schnorrkel.SecretKey{} }
