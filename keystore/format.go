package keystore

import (
	"bytes"
	"unicode/utf8"
)

// Format is how a file or text holds a key.
type Format string

// The formats. NaCl, Keyfile and PolkadotJS are written too; the others are
// read only, to bring their keys to safety.
const (
	NaCl       Format = "nacl"          // $NACL: the wallet's own, Argon2i and XSalsa20-Poly1305
	Ansible    Format = "ansible-vault" // until about 2023; AES-256 under a weak derivation
	Fernet     Format = "fernet"        // the oldest; the current official wallet cannot open it
	Keyfile    Format = "keyfile"       // the wallet's JSON, not encrypted
	PolkadotJS Format = "polkadot-js"   // a browser wallet's JSON export
	Agcli      Format = "agcli"         // agcli's coldkey; has no mark, so it must be asked for
	Mnemonic12 Format = "mnemonic"      // a bare mnemonic
	SecretURI  Format = "secret-uri"    // a mnemonic or seed with path or passphrase
	HexSecret  Format = "hex-secret"    // a bare seed or private key
	PublicHex  Format = "public-hex"    // a bare public key
	Unknown    Format = "unknown"
)

// Encrypted reports whether files of the format need a passphrase. Of
// Polkadot-JS exports most do; a file says so itself.
func (f Format) Encrypted() bool {
	switch f {
	case NaCl, Ansible, Fernet, Agcli, PolkadotJS:
		return true
	}
	return false
}

// The marks that open each format (bittensor-wallet, src/keyfile.rs).
var (
	naclMark    = []byte("$NACL")
	ansibleMark = []byte("$ANSIBLE_VAULT")
	fernetMark  = []byte("gAAAAA")
)

// Detect names a format by its content. The content of a bare hex file does not
// say whether it is a secret: HexSecret is assumed, and whoever knows the
// file's role knows better. Agcli is guessed, from what is no text.
func Detect(data []byte) Format {
	text := bytes.TrimSpace(data)
	switch {
	case bytes.HasPrefix(data, naclMark):
		return NaCl
	case bytes.HasPrefix(data, ansibleMark):
		return Ansible
	case bytes.HasPrefix(data, fernetMark):
		return Fernet
	case !utf8.Valid(data):
		return detectBinary(data)
	case bytes.HasPrefix(text, []byte("{")):
		return detectJSON(text)
	}
	return detectText(text)
}

func detectBinary(data []byte) Format {
	if len(data) < agcliOverhead {
		return Unknown
	}
	return Agcli
}

func detectJSON(text []byte) Format {
	fields, err := parseObject(text)
	if err != nil {
		return Unknown
	}
	defer fields.wipe()
	if fields.has("encoded") && fields.has("encoding") {
		return PolkadotJS
	}
	return Keyfile
}

func detectText(text []byte) Format {
	u, err := splitURI(text)
	if err != nil {
		return Unknown
	}
	seed := hexBytes(u.root)
	defer wipe(seed)
	switch bare := u.path == nil && !u.withPass; {
	case bare && (len(seed) == seedSize || len(seed) == srPrivateSize):
		return HexSecret
	case len(seed) == seedSize:
		return SecretURI
	case len(u.root) == 0 && len(text) > 0:
		return SecretURI
	}
	m, err := ParseMnemonic(u.root)
	if err != nil {
		return Unknown
	}
	m.Wipe()
	if u.path == nil && !u.withPass {
		return Mnemonic12
	}
	return SecretURI
}
