package keystore

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"

	"github.com/ChainSafe/go-schnorrkel"
	"github.com/taoctl/taoctl/tao"
)

// Key is a secret key in memory. It signs until it is wiped, and several
// goroutines may use it. However it is printed or marshalled, it shows its
// scheme and address at most.
type Key struct {
	account tao.Account
	scheme  tao.Scheme
	secret  sealed[*material]
}

func newKey(m *material) *Key {
	return &Key{account: m.account, scheme: m.scheme, secret: seal(m, (*material).wipe)}
}

// KeyOptions says which of the keys of a mnemonic is meant.
type KeyOptions struct {
	Path       string // derivation path, "//hard/soft", or ""
	Passphrase []byte // BIP-39 passphrase, which the key depends on; not a file's
}

// Key makes a key of the phrase.
func (m *Mnemonic) Key(scheme tao.Scheme, o KeyOptions) (*Key, error) {
	var made *Key
	err := m.phrase.borrow(func(phrase []byte) error {
		root, err := fromPhrase(scheme, bytes.Clone(phrase), o.Passphrase)
		if err != nil {
			return err
		}
		made, err = child(root, []byte(o.Path))
		return err
	})
	return made, err
}

// FromSeed makes the key of a 32-byte seed (the mini-secret; not BIP-39's seed
// of 64 bytes) and a derivation path, which may be "". The caller wipes seed.
func FromSeed(seed []byte, scheme tao.Scheme, path string) (*Key, error) {
	root, err := fromSeed(scheme, bytes.Clone(seed))
	if err != nil {
		return nil, err
	}
	return child(root, []byte(path))
}

// FromPrivate makes a key of its private bytes, as a keyfile's privateKey holds
// them: 64 bytes of sr25519 (canonical scalar and nonce), 32 of ed25519. The
// caller wipes private.
func FromPrivate(private []byte, scheme tao.Scheme) (*Key, error) {
	m, err := fromPrivate(scheme, bytes.Clone(private))
	if err != nil {
		return nil, err
	}
	return newKey(m), nil
}

// FromURI makes a key of a secret URI: a mnemonic or 0x and 64 hex digits, then
// optionally a path, then optionally three slashes and a passphrase. "//Alice"
// alone stands for the public development phrase in Substrate's tools, which an
// unset variable in a script would silently select; it is refused here, see
// [DevKey]. The caller wipes text.
func FromURI(text []byte, scheme tao.Scheme) (*Key, error) {
	m, err := uriMaterial(text, scheme)
	if err != nil {
		return nil, err
	}
	return newKey(m), nil
}

// devPhrase is Substrate's development phrase. Everybody knows it (sp-core,
// src/crypto.rs, DEV_PHRASE).
const devPhrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk"

// DevKey makes a well-known key for local chains: "//Alice", "//Bob//stash".
// Whoever holds money on one gives it away.
func DevKey(path string, scheme tao.Scheme) (*Key, error) {
	root, err := fromPhrase(scheme, []byte(devPhrase), nil)
	if err != nil {
		return nil, err
	}
	return child(root, []byte(path))
}

func uriMaterial(text []byte, scheme tao.Scheme) (*material, error) {
	u, err := splitURI(text)
	if err != nil {
		return nil, &MalformedError{Path: "secret URI", Cause: err}
	}
	root, err := u.rootMaterial(scheme)
	if err != nil {
		return nil, err
	}
	m, err := root.derive(u.path)
	if err != nil {
		root.wipe()
		return nil, &MalformedError{Path: "secret URI", Cause: err}
	}
	if m != root {
		root.wipe()
	}
	return m, nil
}

func (u uri) rootMaterial(scheme tao.Scheme) (*material, error) {
	seed := hexBytes(u.root)
	switch {
	case len(u.root) == 0:
		return nil, &MalformedError{Path: "secret URI", Cause: errors.New("it has no mnemonic or seed; the public development phrase must be asked for by name")}
	case seed != nil && len(u.passphrase) > 0:
		return nil, &MalformedError{Path: "secret URI", Cause: errors.New("a passphrase does nothing to a hex seed")}
	case seed != nil:
		return fromSeed(scheme, seed)
	}
	mnemonic, err := ParseMnemonic(u.root)
	if err != nil {
		return nil, err
	}
	defer mnemonic.Wipe()
	var m *material
	err = mnemonic.phrase.borrow(func(phrase []byte) error {
		m, err = fromPhrase(scheme, bytes.Clone(phrase), u.passphrase)
		return err
	})
	return m, err
}

// child derives and wipes the root if the path leads away from it.
func child(root *material, path []byte) (*Key, error) {
	m, err := root.derive(path)
	if err != nil {
		root.wipe()
		return nil, err
	}
	if m != root {
		root.wipe()
	}
	return newKey(m), nil
}

// Account is the key's public name.
func (k *Key) Account() tao.Account { return k.account }

// Scheme is Sr25519 or Ed25519.
func (k *Key) Scheme() tao.Scheme { return k.scheme }

// String prints scheme and address.
func (k *Key) String() string { return fmt.Sprintf("%s key %s", k.scheme, k.account) }

// Wipe overwrites the secret. Afterwards Sign and Reveal give ErrWiped. Wiping
// twice is allowed.
func (k *Key) Wipe() { k.secret.clear() }

// Secrets are the forms in which a key's secret is known. Absent ones are nil.
type Secrets struct {
	Phrase  []byte // the mnemonic
	Seed    []byte // the 32-byte mini-secret
	Private []byte // sr25519: canonical scalar and nonce, 64 bytes; ed25519: the seed
}

// Reveal lends the secret, for export and for showing it to its owner. The
// bytes are valid during the call only and must not be changed.
func (k *Key) Reveal(use func(Secrets) error) error {
	return k.secret.borrow(func(m *material) error {
		return use(Secrets{Phrase: m.phrase, Seed: m.seed, Private: m.private})
	})
}

// ErrSignature says that a signature does not fit the message and the account.
var ErrSignature = errors.New("the signature does not fit this message and account")

// Sign signs a message as it is: no hashing, no wrapping. The signature has 64
// bytes, and is checked before it is given out: a fault in memory that spoils a
// signature can betray the key that made it.
func (k *Key) Sign(ctx context.Context, message []byte) (tao.Signature, error) {
	if err := ctx.Err(); err != nil {
		return tao.Signature{}, err
	}
	sig := tao.Signature{Scheme: k.scheme}
	err := k.secret.borrow(func(m *material) (err error) {
		sig.Bytes, err = m.sign(message)
		return err
	})
	if err != nil {
		return tao.Signature{}, fmt.Errorf("signing with %s: %w", k.account, err)
	}
	if err := Verify(k.account, message, sig); err != nil {
		return tao.Signature{}, fmt.Errorf("checking a signature just made with %s: %w", k.account, err)
	}
	return sig, nil
}

// signingContext is Substrate's for every sr25519 signature (sp-core,
// src/sr25519.rs, SIGNING_CTX).
const signingContext = "substrate"

func (m *material) sign(message []byte) ([]byte, error) {
	if m.scheme == tao.Ed25519 {
		private := ed25519.NewKeyFromSeed(m.private)
		defer wipe(private)
		return ed25519.Sign(private, message), nil
	}
	sk := srSecret(m.private)
	defer wipeSr(sk)
	sig, err := sk.Sign(schnorrkel.NewSigningContext([]byte(signingContext), message))
	if err != nil {
		return nil, err
	}
	b := sig.Encode()
	return b[:], nil
}

// Verify checks a signature. It returns nil if it fits, ErrSignature if not,
// and an *UnsupportedError for schemes other than sr25519 and ed25519.
func Verify(account tao.Account, message []byte, sig tao.Signature) error {
	fits := false
	switch sig.Scheme {
	case tao.Ed25519:
		fits = len(sig.Bytes) == ed25519.SignatureSize && ed25519.Verify(account[:], message, sig.Bytes)
	case tao.Sr25519:
		fits = verifySr25519(account, message, sig.Bytes)
	default:
		return &UnsupportedError{Path: "signature", What: sig.Scheme.String()}
	}
	if !fits {
		return ErrSignature
	}
	return nil
}

func verifySr25519(account tao.Account, message, sig []byte) bool {
	if len(sig) != schnorrkel.SignatureSize {
		return false
	}
	public, err := schnorrkel.NewPublicKey(account)
	if err != nil {
		return false
	}
	var parsed schnorrkel.Signature
	if err := parsed.Decode([schnorrkel.SignatureSize]byte(sig)); err != nil {
		return false
	}
	ok, err := public.Verify(&parsed, schnorrkel.NewSigningContext([]byte(signingContext), message))
	return err == nil && ok
}

// WrapBytes puts <Bytes> and </Bytes> around a message, as browser wallets do
// so that a text cannot be a transaction in disguise. A message that is wrapped
// already stays as it is (Polkadot-JS, util/u8a/wrap.ts).
func WrapBytes(message []byte) []byte {
	const before, after = "<Bytes>", "</Bytes>"
	if bytes.HasPrefix(message, []byte(before)) && bytes.HasSuffix(message, []byte(after)) {
		return bytes.Clone(message)
	}
	return append(append([]byte(before), message...), after...)
}
