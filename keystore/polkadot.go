package keystore

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/taoctl/taoctl/keystore/internal/kdf"
	"github.com/taoctl/taoctl/tao"
	"golang.org/x/crypto/nacl/secretbox"
)

// polkadotFile is a Polkadot-JS export, version 3 (@polkadot/keyring,
// pair/toJson.ts). None of its fields is secret; Encoded is encrypted unless
// Encoding says otherwise.
type polkadotFile struct {
	Encoded  string           `json:"encoded"`
	Encoding polkadotEncoding `json:"encoding"`
	Address  string           `json:"address"`
	Meta     polkadotMeta     `json:"meta"`
}

type polkadotEncoding struct {
	Content []string `json:"content"`
	Type    []string `json:"type"`
	Version string   `json:"version"`
}

// polkadotMeta always has a name: bittensor-wallet panics without one.
type polkadotMeta struct {
	GenesisHash *string `json:"genesisHash"`
	Name        string  `json:"name"`
	WhenCreated int64   `json:"whenCreated"` // milliseconds
}

// maxPolkadot bounds an export, which may carry a batch of metadata.
const maxPolkadot = 1 << 20

func parsePolkadot(data []byte) (*polkadotFile, error) {
	if len(data) > maxPolkadot {
		return nil, errors.New("a Polkadot-JS export is at most 1 MiB")
	}
	o, err := parseObject(bytes.TrimSpace(data))
	if err != nil {
		return nil, err
	}
	f := new(polkadotFile)
	if err := json.Unmarshal(o["encoding"], &f.Encoding); err != nil {
		return nil, errors.New("its encoding is not that of a Polkadot-JS export, version 3")
	}
	if err := json.Unmarshal(o["encoded"], &f.Encoded); err != nil {
		return nil, errors.New("its encoded field is not a text")
	}
	if o.has("address") {
		if err := json.Unmarshal(o["address"], &f.Address); err != nil {
			return nil, errors.New("its address is not a text")
		}
	}
	return f, f.check()
}

func (f *polkadotFile) check() error {
	if f.Encoding.Version != "3" {
		return &UnsupportedError{Path: "Polkadot-JS export", What: fmt.Sprintf("version %q", clip(f.Encoding.Version))}
	}
	_, err := f.scheme()
	return err
}

func (f *polkadotFile) scheme() (tao.Scheme, error) {
	c := f.Encoding.Content
	if len(c) != 2 || c[0] != "pkcs8" {
		return 0, fmt.Errorf("its content is %q, not a key", c)
	}
	switch c[1] {
	case "sr25519":
		return tao.Sr25519, nil
	case "ed25519":
		return tao.Ed25519, nil
	}
	return 0, &UnsupportedError{Path: "Polkadot-JS export", What: "an " + clip(c[1]) + " key"}
}

// encrypted and withScrypt read the list of what was done to the body.
func (f *polkadotFile) encrypted() bool  { return has(f.Encoding.Type, "xsalsa20-poly1305") }
func (f *polkadotFile) withScrypt() bool { return has(f.Encoding.Type, "scrypt") }

func has(list []string, name string) bool {
	for _, s := range list {
		if s == name {
			return true
		}
	}
	return false
}

const (
	scryptSalt   = 32
	scryptParams = 12 // N, p, r as 32-bit little-endian numbers, in this order
)

// open decrypts the body. Without scrypt, as old exports are, the passphrase
// itself, filled with zeros or cut at 32 bytes, is the key.
func (f *polkadotFile) open(passphrase []byte) ([]byte, error) {
	blob, err := base64.StdEncoding.DecodeString(f.Encoded)
	if err != nil {
		return nil, errors.New("its encoded field is not base64")
	}
	if !f.encrypted() {
		return blob, nil
	}
	key := make([]byte, kdf.KeySize)
	defer wipe(key)
	copy(key, passphrase)
	if f.withScrypt() {
		if len(blob) < scryptSalt+scryptParams {
			return nil, errors.New("its encoded field is cut short")
		}
		n, p, r := le32(blob[32:]), le32(blob[36:]), le32(blob[40:])
		if key, err = kdf.Scrypt(passphrase, blob[:scryptSalt], n, p, r); err != nil {
			return nil, err
		}
		blob = blob[scryptSalt+scryptParams:]
	}
	if len(blob) < nonceSize+secretbox.Overhead {
		return nil, errors.New("its encoded field is cut short")
	}
	return openBox(blob, key)
}

func le32(b []byte) uint32 { return binary.LittleEndian.Uint32(b) }

// The body is fixed bytes around the secret, in the look of PKCS #8.
var (
	pkcsHead    = []byte{0x30, 0x53, 0x02, 0x01, 0x01, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20}
	pkcsDivider = []byte{0xa1, 0x23, 0x03, 0x21, 0x00}
)

const pkcsSize = 16 + 64 + 5 + 32

// material reads the decrypted body and checks that its halves belong together
// and to the address.
func (f *polkadotFile) material(body []byte) (*material, error) {
	scheme, err := f.scheme()
	if err != nil {
		return nil, err
	}
	head, rest := len(pkcsHead), len(pkcsHead)+64
	if len(body) != pkcsSize || !bytes.Equal(body[:head], pkcsHead) || !bytes.Equal(body[rest:rest+len(pkcsDivider)], pkcsDivider) {
		return nil, errors.New("the decrypted body is not a key of a Polkadot-JS export, version 3")
	}
	private := bytes.Clone(body[head:rest])
	if scheme == tao.Sr25519 {
		if err := divideBy8(private[:32]); err != nil {
			return nil, err
		}
	}
	m, err := fromPrivate(scheme, private)
	if err != nil {
		return nil, err
	}
	return m, f.agree(m, tao.Account(body[rest+len(pkcsDivider):]))
}

func (f *polkadotFile) agree(m *material, public tao.Account) error {
	secret := "the secret is " + m.account.String()
	if public != m.account {
		return &MismatchError{Fields: []string{secret, "its public key is " + public.String()}}
	}
	if f.Address == "" {
		return nil
	}
	address, err := anyAddress(f.Address)
	if err != nil {
		return fmt.Errorf("its address: %w", err)
	}
	if address != m.account {
		return &MismatchError{Fields: []string{secret, "address is " + address.String()}}
	}
	return nil
}

// divideBy8 turns the scalar of an export, which is eight times the real one
// (schnorrkel, src/keys.rs, to_ed25519_bytes), into the canonical scalar.
func divideBy8(scalar []byte) error {
	if scalar[0]&7 != 0 {
		return errors.New("the private key is no sr25519 key of a Polkadot-JS export")
	}
	for i := range scalar {
		next := byte(0)
		if i+1 < len(scalar) {
			next = scalar[i+1]
		}
		scalar[i] = scalar[i]>>3 | next<<5
	}
	return nil
}

func multiplyBy8(scalar []byte) {
	for i := len(scalar) - 1; i >= 0; i-- {
		low := byte(0)
		if i > 0 {
			low = scalar[i-1]
		}
		scalar[i] = scalar[i]<<3 | low>>5
	}
}

// exportN is the scrypt cost that Polkadot-JS itself writes (util-crypto 13,
// N=2^17, p=1, r=8: 128 MiB).
const exportN, exportP, exportR = 1 << 17, 1, 8

// ExportPolkadotJS writes a key as a browser wallet's JSON, version 3, which
// Polkadot-JS, Talisman, SubWallet and the official Bittensor wallet import.
// The phrase is not in it: that format holds the private key alone. The caller
// wipes the passphrase. Created is shown by wallets; the clock is the caller's.
func ExportPolkadotJS(ctx context.Context, k *Key, name string, created time.Time, passphrase []byte) ([]byte, error) {
	if len(passphrase) == 0 {
		return nil, errors.New("exporting a key: the passphrase is empty")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var body []byte
	err := k.secret.borrow(func(m *material) error { body = m.pkcs(); return nil })
	if err != nil {
		return nil, err
	}
	defer wipe(body)
	encoded, err := sealPolkadot(body, passphrase)
	if err != nil {
		return nil, fmt.Errorf("exporting %s: %w", k.account, err)
	}
	return json.Marshal(polkadotFile{
		Encoded:  base64.StdEncoding.EncodeToString(encoded),
		Encoding: polkadotEncoding{Content: []string{"pkcs8", k.scheme.String()}, Type: []string{"scrypt", "xsalsa20-poly1305"}, Version: "3"},
		Address:  k.account.String(),
		Meta:     polkadotMeta{Name: name, WhenCreated: created.UnixMilli()},
	})
}

func sealPolkadot(body, passphrase []byte) ([]byte, error) {
	out := make([]byte, scryptSalt, scryptSalt+scryptParams+nonceSize+secretbox.Overhead+len(body))
	rand.Read(out)
	key, err := kdf.Scrypt(passphrase, out, exportN, exportP, exportR)
	if err != nil {
		return nil, err
	}
	defer wipe(key)
	for _, v := range []uint32{exportN, exportP, exportR} {
		out = binary.LittleEndian.AppendUint32(out, v)
	}
	var nonce [nonceSize]byte
	rand.Read(nonce[:])
	out = append(out, nonce[:]...)
	return secretbox.Seal(out, body, &nonce, (*[kdf.KeySize]byte)(key)), nil
}

// pkcs is the inverse of polkadotFile.material.
func (m *material) pkcs() []byte {
	body := make([]byte, 0, pkcsSize)
	body = append(body, pkcsHead...)
	if m.scheme == tao.Ed25519 {
		private := ed25519.NewKeyFromSeed(m.private)
		defer wipe(private)
		body = append(body, private...)
	} else {
		body = append(body, m.private...)
		multiplyBy8(body[len(pkcsHead) : len(pkcsHead)+32])
	}
	body = append(body, pkcsDivider...)
	return append(body, m.account[:]...)
}
