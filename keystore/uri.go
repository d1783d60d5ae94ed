package keystore

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strconv"
	"unicode/utf8"

	"golang.org/x/crypto/blake2b"
)

// junction is one step of a derivation path.
type junction struct {
	hard  bool
	chain [32]byte // the chain code
}

// parsePath reads "//hard/soft//0". An empty path is no junctions.
func parsePath(path []byte) ([]junction, error) {
	var js []junction
	for len(path) > 0 {
		if path[0] != '/' {
			return nil, errors.New("a derivation path begins with / or //")
		}
		rest, hard := path[1:], false
		if len(rest) > 0 && rest[0] == '/' {
			rest, hard = rest[1:], true
		}
		end := bytes.IndexByte(rest, '/')
		if end < 0 {
			end = len(rest)
		}
		if end == 0 {
			return nil, errors.New("a derivation path has an empty part")
		}
		js = append(js, junction{hard: hard, chain: chainCode(rest[:end])})
		path = rest[end:]
	}
	return js, nil
}

// chainCode is Substrate's rule for one part of a path (sp-core, src/crypto.rs,
// DeriveJunction): a number that fits 64 bits stands as its 8 bytes, little
// endian; any other text as its SCALE encoding. Longer than 32 bytes, it is
// hashed; shorter, it is filled with zeros. Polkadot-JS differs for digits
// beyond 64 bits and for hex; Substrate, and so every Bittensor tool, decides.
func chainCode(part []byte) [32]byte {
	var code [32]byte
	if n, ok := parseU64(part); ok {
		binary.LittleEndian.PutUint64(code[:], n)
		return code
	}
	text := scaleText(part)
	if len(text) > len(code) {
		return blake2b.Sum256(text)
	}
	copy(code[:], text)
	return code
}

// parseU64 takes what Rust's parse::<u64> takes: digits, and one plus before.
func parseU64(text []byte) (uint64, bool) {
	digits := bytes.TrimPrefix(text, []byte("+"))
	if len(digits) == 0 || digits[0] < '0' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	return n, err == nil
}

// scaleText is the SCALE encoding of a text: its length as a compact integer,
// then its bytes.
func scaleText(text []byte) []byte {
	n := uint32(len(text))
	switch {
	case n < 1<<6:
		return append([]byte{byte(n << 2)}, text...)
	case n < 1<<14:
		return append(binary.LittleEndian.AppendUint16(nil, uint16(n<<2|1)), text...)
	default:
		return append(binary.LittleEndian.AppendUint32(nil, n<<2|2), text...)
	}
}

// uri is a secret URI in its parts: "phrase or 0xseed", "//path", and after
// three slashes a passphrase (sp-core, src/crypto.rs, SecretUri). The parts
// share memory with the text.
type uri struct {
	root       []byte
	path       []byte
	passphrase []byte
	withPass   bool
}

// maxURI bounds a secret URI: 24 words of 8 letters, a path and a passphrase.
const maxURI = 4096

func splitURI(text []byte) (uri, error) {
	if len(text) > maxURI {
		return uri{}, errors.New("a secret URI is at most 4096 bytes long")
	}
	if !utf8.Valid(text) {
		return uri{}, errors.New("a secret URI is UTF-8 text")
	}
	var u uri
	u.root, u.passphrase, u.withPass = bytes.Cut(text, []byte("///"))
	if at := bytes.IndexByte(u.root, '/'); at >= 0 {
		u.root, u.path = u.root[:at], u.root[at:]
	}
	u.root = bytes.TrimSpace(u.root)
	return u, nil
}

// hexBytes reads hex with any number of 0x in front, as the official readers
// do. It returns nil for anything else.
func hexBytes(text []byte) []byte {
	for bytes.HasPrefix(text, []byte("0x")) {
		text = text[2:]
	}
	if len(text) == 0 {
		return nil
	}
	b := make([]byte, hex.DecodedLen(len(text)))
	if _, err := hex.Decode(b, text); err != nil {
		return nil
	}
	return b
}
