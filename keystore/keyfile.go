package keystore

import (
	"bytes"
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/decred/base58"
	"github.com/taoctl/taoctl/tao"
	"golang.org/x/crypto/blake2b"
)

// keyfile is the wallet's JSON in its parts. Nothing in it is trusted yet.
type keyfile struct {
	phrase, seed, private []byte
	badSeed               bool // a secretSeed is there that is no seed
	public                []publicPart
	scheme                *tao.Scheme
	numeric               bool // cryptoType is a JSON number, which bittensor-wallet cannot read
}

// publicPart is one field that names the account.
type publicPart struct {
	field   string
	account tao.Account
}

func (k *keyfile) wipe() { wipe(k.phrase, k.seed, k.private) }

func (k *keyfile) hasSecret() bool {
	return k.phrase != nil || k.seed != nil || k.private != nil || k.badSeed
}

// parseKeyfile reads the JSON of any of the official wallets, old and new: any
// order of fields, any of them absent or null, hex with or without 0x.
func parseKeyfile(text []byte) (*keyfile, error) {
	o, err := parseObject(text)
	if err != nil {
		return nil, err
	}
	defer o.wipe()
	if o.has("encoded") && o.has("encoding") {
		return nil, errors.New("it is a Polkadot-JS export, not a keyfile: import it")
	}
	k := new(keyfile)
	if err := errors.Join(k.readScheme(o), k.readPublic(o), k.readSecrets(o)); err != nil {
		k.wipe()
		return nil, err
	}
	if !k.hasSecret() && k.public == nil {
		return nil, errors.New("it holds neither a secret nor an address")
	}
	return k, nil
}

func (k *keyfile) readSecrets(o object) (err error) {
	if k.phrase, err = o.text("secretPhrase"); err != nil {
		return err
	}
	private, err := o.text("privateKey")
	if err != nil {
		return err
	}
	seed, err := o.text("secretSeed")
	if err != nil {
		return err
	}
	defer wipe(private, seed)
	if len(private) > 0 {
		if k.private = hexBytes(private); k.private == nil {
			return errors.New("privateKey is not hex")
		}
	}
	if len(seed) > 0 {
		k.seed = hexBytes(seed)
		k.badSeed = len(k.seed) != seedSize
	}
	if len(k.phrase) == 0 {
		k.phrase = nil
	}
	return nil
}

// readScheme reads cryptoType, by the numbers of the newer SDK: 0 ed25519, 1
// sr25519, as number or as text. Its 2 was ecdsa; from 4 on are accounts that
// are hashes of keys, or post-quantum ones.
func (k *keyfile) readScheme(o object) error {
	name := "cryptoType"
	if !o.has(name) {
		name = "crypto_type"
	}
	if !o.has(name) {
		return nil
	}
	raw := o[name]
	n, err := strconv.ParseUint(string(bytes.Trim(raw, `"`)), 10, 8)
	k.numeric = raw[0] != '"'
	scheme := tao.Scheme(n)
	switch {
	case err != nil:
		return fmt.Errorf("%s is not a number", name)
	case scheme == tao.Sr25519 || scheme == tao.Ed25519:
		k.scheme = &scheme
		return nil
	case scheme == tao.Ecdsa:
		return &UnsupportedError{Path: name, What: "an ecdsa key"}
	case n == 4 || n == 6:
		return &UnsupportedError{Path: name, What: "a hashed account"}
	case n == 5 || n == 7:
		return &UnsupportedError{Path: name, What: "an ML-DSA key"}
	}
	return &UnsupportedError{Path: name, What: fmt.Sprintf("key type %d", n)}
}

// readPublic reads the fields that name the account. Old files spell the
// address's name with a space in front.
func (k *keyfile) readPublic(o object) error {
	for _, field := range []string{"ss58Address", " ss58Address", "publicKey", "accountId"} {
		text, err := o.text(field)
		if err != nil {
			return err
		}
		if len(text) == 0 {
			continue
		}
		var account tao.Account
		if field == "publicKey" || field == "accountId" {
			account, err = publicKey(text)
		} else {
			account, err = anyAddress(string(text))
		}
		if err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
		k.public = append(k.public, publicPart{field, account})
	}
	return nil
}

// publicKey reads 32 bytes of hex.
func publicKey(text []byte) (tao.Account, error) {
	b := hexBytes(bytes.TrimSpace(text))
	if len(b) != len(tao.Account{}) {
		return tao.Account{}, errors.New("it is not a public key: 64 hex digits")
	}
	return tao.Account(b), nil
}

// anyAddress reads an SS58 address of any network: keyfiles and exports of
// other networks name the same key in another spelling.
func anyAddress(text string) (tao.Account, error) {
	account, err := tao.ParseAccount(text)
	if err == nil || len(text) > 64 {
		return account, err
	}
	raw := base58.Decode(text)
	prefix := 1
	if len(raw) > 0 && raw[0]&0x40 != 0 {
		prefix = 2
	}
	if len(raw) != prefix+len(account)+2 {
		return account, err
	}
	sum := blake2b.Sum512(append([]byte("SS58PRE"), raw[:len(raw)-2]...))
	if !bytes.Equal(sum[:2], raw[len(raw)-2:]) {
		return account, err
	}
	return tao.Account(raw[prefix : len(raw)-2]), nil
}

// account returns the account that the public fields agree on, and false where
// there is none.
func (k *keyfile) account() (tao.Account, bool, error) {
	if len(k.public) == 0 {
		return tao.Account{}, false, nil
	}
	first := k.public[0]
	for _, p := range k.public[1:] {
		if p.account != first.account {
			return tao.Account{}, false, &MismatchError{Fields: []string{first.String(), p.String()}}
		}
	}
	return first.account, true, nil
}

func (p publicPart) String() string { return p.field + " is " + p.account.String() }

// material turns the parts into a key on which all of them agree. A file that
// does not name its scheme is sr25519, or ed25519 if only that fits its address
// (the newer SDK reads it so). The caller wipes the keyfile.
func (k *keyfile) material() (*material, error) {
	if k.scheme != nil {
		return k.materialOf(*k.scheme)
	}
	m, err := k.materialOf(tao.Sr25519)
	if err == nil || len(k.public) == 0 {
		return m, err
	}
	if other, err := k.materialOf(tao.Ed25519); err == nil {
		return other, nil
	}
	return nil, err
}

func (k *keyfile) materialOf(scheme tao.Scheme) (*material, error) {
	var made []*material
	fail := func(err error) (*material, error) {
		for _, m := range made {
			m.wipe()
		}
		return nil, err
	}
	parts := k.public
	for _, s := range k.secrets() {
		m, err := s.make(scheme)
		if err != nil {
			return fail(fmt.Errorf("%s: %w", s.field, err))
		}
		made = append(made, m)
		parts = append(parts[:len(parts):len(parts)], publicPart{s.field, m.account})
	}
	for _, p := range parts {
		if p.account != parts[0].account {
			return fail(&MismatchError{Fields: []string{parts[0].String(), p.String()}})
		}
	}
	if k.badSeed && (k.private == nil || len(k.public) == 0) {
		return fail(errors.New("secretSeed is not 64 hex digits"))
	}
	if len(made) == 0 {
		return nil, errors.New("it holds no secret, only an address")
	}
	return merge(made), nil
}

// secretPart is one secret field and how a key is made of it.
type secretPart struct {
	field string
	make  func(tao.Scheme) (*material, error)
}

// secrets lists the secret fields, the most telling last. A bad seed is passed
// over: bittensor-wallet 2 to 4.0 wrote the raw bytes of seeds that happen to
// be UTF-8. The private key beside it is good, if the address confirms it.
func (k *keyfile) secrets() []secretPart {
	var parts []secretPart
	if k.private != nil {
		parts = append(parts, secretPart{"privateKey", func(s tao.Scheme) (*material, error) {
			return fromPrivate(s, bytes.Clone(k.private))
		}})
	}
	if k.seed != nil && !k.badSeed {
		parts = append(parts, secretPart{"secretSeed", func(s tao.Scheme) (*material, error) {
			return fromSeed(s, bytes.Clone(k.seed))
		}})
	}
	if k.phrase != nil {
		parts = append(parts, secretPart{"secretPhrase", func(s tao.Scheme) (*material, error) {
			m, err := ParseMnemonic(k.phrase)
			if err != nil {
				return nil, err
			}
			defer m.Wipe()
			var made *material
			err = m.phrase.borrow(func(phrase []byte) error {
				made, err = fromPhrase(s, bytes.Clone(phrase), nil)
				return err
			})
			return made, err
		}})
	}
	return parts
}

// merge joins forms of one key. The first one's private key counts, which for
// a soft-derived key is the file's own.
func merge(forms []*material) *material {
	m := forms[0]
	for _, f := range forms[1:] {
		wipe(f.private)
		if m.seed == nil {
			m.seed = f.seed
		} else {
			wipe(f.seed)
		}
		if m.phrase == nil {
			m.phrase = f.phrase
		}
	}
	return m
}

// encode writes the wallet's JSON so that every official reader opens it: no
// white space, the order of fields of the Python wallet, absent fields left
// out, texts only. An ed25519 key carries the number 0 as its cryptoType:
// bittensor-wallet, which would take it for another key, then refuses it.
func (m *material) encode(withPhrase bool) []byte {
	b := make([]byte, 0, 1024) // larger than any result: growing would leave copies behind
	b = append(b, '{')
	b = appendHexField(b, "accountId", m.account[:])
	b = appendHexField(b, "publicKey", m.account[:])
	b = appendHexField(b, "privateKey", m.private)
	if withPhrase && m.phrase != nil {
		b = append(b, `"secretPhrase":"`...)
		b = append(b, m.phrase...) // words of a to z and spaces: nothing to escape
		b = append(b, `",`...)
	}
	if withPhrase && m.seed != nil {
		b = appendHexField(b, "secretSeed", m.seed)
	}
	b = append(b, `"ss58Address":"`+m.account.String()+`"`...)
	if m.scheme == tao.Ed25519 {
		b = append(b, `,"cryptoType":0`...)
	}
	return append(b, '}')
}

func appendHexField(b []byte, name string, value []byte) []byte {
	b = append(b, `"`+name+`":"0x`...)
	b = hex.AppendEncode(b, value)
	return append(b, `",`...)
}

// encodePublic writes the JSON of a public file.
func encodePublic(account tao.Account) []byte {
	b := []byte{'{'}
	b = appendHexField(b, "accountId", account[:])
	b = appendHexField(b, "publicKey", account[:])
	return append(b, `"ss58Address":"`+account.String()+`"}`...)
}

// parsePublic reads a public file: the JSON, or the bare hex of old tools,
// which in a public file is a public key whatever it looks like.
func parsePublic(data []byte) (tao.Account, error) {
	text := bytes.TrimSpace(data)
	if !bytes.HasPrefix(text, []byte("{")) {
		return publicKey(text)
	}
	k, err := parseKeyfile(text)
	if err != nil {
		return tao.Account{}, err
	}
	defer k.wipe()
	account, ok, err := k.account()
	if err == nil && !ok {
		err = errors.New("it names no account")
	}
	return account, err
}

// parseSecret reads what an encrypted file held, or a plain one: JSON, bare
// hex, a mnemonic or a secret URI. Development keys pass: agcli kept them as
// their URI.
func parseSecret(data []byte) (*material, error) {
	text := bytes.TrimSpace(data)
	switch Detect(text) {
	case Keyfile, Unknown, PolkadotJS:
		k, err := parseKeyfile(text)
		if err != nil {
			return nil, err
		}
		defer k.wipe()
		return k.material()
	case HexSecret:
		return parseHexSecret(text)
	}
	if bytes.HasPrefix(text, []byte("//")) {
		text = append([]byte(devPhrase), text...)
	}
	return uriMaterial(text, tao.Sr25519)
}

func parseHexSecret(text []byte) (*material, error) {
	b := hexBytes(text)
	if len(b) == ed25519.SeedSize {
		return fromSeed(tao.Sr25519, b)
	}
	return fromPrivate(tao.Sr25519, b)
}
