package keystore

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/fernet/fernet-go"
	"github.com/taoctl/taoctl/keystore/internal/kdf"
	"golang.org/x/crypto/nacl/secretbox"
)

// errOpen is "wrong passphrase or damaged": authentication failed.
var errOpen = errors.New("authentication failed")

const (
	nonceSize    = 24
	naclOverhead = 5 + nonceSize + secretbox.Overhead
)

// openNaCl opens a $NACL file: mark, nonce of 24 bytes, tag of 16, ciphertext.
// A key wrongly trimmed, or one byte appended to the file, fails.
func openNaCl(file, key []byte) ([]byte, error) {
	if len(file) < naclOverhead || !bytes.HasPrefix(file, naclMark) {
		return nil, fmt.Errorf("a $NACL file has at least %d bytes, this one has %d: it is cut short", naclOverhead, len(file))
	}
	return openBox(file[len(naclMark):], key)
}

// openBox opens nonce, tag and ciphertext.
func openBox(b, key []byte) ([]byte, error) {
	k := [kdf.KeySize]byte(key)
	defer wipe(k[:])
	plain, ok := secretbox.Open(nil, b[nonceSize:], (*[nonceSize]byte)(b), &k)
	if !ok {
		return nil, errOpen
	}
	return plain, nil
}

// sealNaCl is the inverse of openNaCl, under a fresh random nonce.
func sealNaCl(plain, key []byte) []byte {
	k := [kdf.KeySize]byte(key)
	defer wipe(k[:])
	var nonce [nonceSize]byte
	rand.Read(nonce[:])
	file := append(bytes.Clone(naclMark), nonce[:]...)
	return secretbox.Seal(file, plain, &nonce, &k)
}

// openFernet opens a legacy token. The library does the cryptography; that the
// token is whole base64 and long enough to hold one block is checked before,
// because the library does not.
func openFernet(file, key []byte) ([]byte, error) {
	token := bytes.TrimSpace(file)
	raw, err := base64.URLEncoding.Strict().DecodeString(string(token))
	const head = 1 + 8 + aes.BlockSize // version, time, IV
	if err != nil || len(raw) < head+aes.BlockSize+sha256.Size {
		return nil, errors.New("the legacy token is cut short or is not base64")
	}
	plain := fernet.VerifyAndDecrypt(token, 0, []*fernet.Key{(*fernet.Key)(key)})
	if plain == nil {
		return nil, errOpen
	}
	return plain, nil
}

// vault is an Ansible Vault file in its parts.
type vault struct {
	salt, mac, ciphertext []byte
}

// parseVault reads a header line and lines of hex, which hold three lines of
// hex: salt, MAC, ciphertext. Ansible's own layout, the indented one that the
// Rust wallet wrote, Windows line ends, and headers 1.1 and 1.2 with a label
// are read; 1.0 had another cipher.
func parseVault(file []byte) (vault, error) {
	head, body, _ := bytes.Cut(file, []byte("\n"))
	fields := bytes.Split(bytes.TrimSpace(head), []byte(";"))
	switch {
	case len(fields) < 3:
		return vault{}, errors.New("the vault's header is cut short")
	case string(fields[2]) != "AES256" || string(fields[1]) != "1.1" && string(fields[1]) != "1.2":
		return vault{}, fmt.Errorf("vault version %q with cipher %q is not supported", clip(string(fields[1])), clip(string(fields[2])))
	}
	inner := make([]byte, 0, len(body)/2)
	for line := range bytes.Lines(body) {
		var err error
		if inner, err = hex.AppendDecode(inner, bytes.TrimSpace(line)); err != nil {
			return vault{}, errors.New("the vault's body is not hex")
		}
	}
	return parseVaultParts(bytes.Split(inner, []byte("\n")))
}

func parseVaultParts(lines [][]byte) (vault, error) {
	if len(lines) != 3 {
		return vault{}, errors.New("the vault's body is cut short")
	}
	v := vault{salt: hexBytes(lines[0]), mac: hexBytes(lines[1]), ciphertext: hexBytes(lines[2])}
	if v.salt == nil || len(v.mac) != sha256.Size || len(v.ciphertext) == 0 || len(v.ciphertext)%aes.BlockSize != 0 {
		return vault{}, errors.New("the vault's body is cut short or is not hex")
	}
	return v, nil
}

// open checks the MAC first, in constant time, then decrypts with AES-256-CTR
// and strips the padding (ansible, lib/ansible/parsing/vault, VaultAES256).
func (v vault) open(passphrase []byte) ([]byte, error) {
	keys, err := kdf.Ansible(passphrase, v.salt)
	if err != nil {
		return nil, err
	}
	defer wipe(keys)
	mac := hmac.New(sha256.New, keys[32:64])
	mac.Write(v.ciphertext)
	if !hmac.Equal(mac.Sum(nil), v.mac) {
		return nil, errOpen
	}
	block, err := aes.NewCipher(keys[:32])
	if err != nil {
		return nil, err
	}
	plain := make([]byte, len(v.ciphertext))
	cipher.NewCTR(block, keys[64:]).XORKeyStream(plain, v.ciphertext)
	return unpad(plain)
}

// unpad strips PKCS #7 padding.
func unpad(b []byte) ([]byte, error) {
	n := int(b[len(b)-1])
	if n < 1 || n > aes.BlockSize || n > len(b) || !bytes.Equal(b[len(b)-n:], bytes.Repeat([]byte{byte(n)}, n)) {
		return nil, errors.New("the vault's padding is wrong")
	}
	return b[:len(b)-n], nil
}

// agcliOverhead is salt, nonce and tag of an agcli coldkey.
const (
	agcliSalt     = 16
	agcliNonce    = 12
	agcliOverhead = agcliSalt + agcliNonce + 16
)

// openAgcli opens salt, nonce and AES-256-GCM (agcli, src/wallet/keyfile.rs).
func openAgcli(file, passphrase []byte) ([]byte, error) {
	if len(file) < agcliOverhead {
		return nil, fmt.Errorf("an agcli coldkey has at least %d bytes, this one has %d", agcliOverhead, len(file))
	}
	key, err := kdf.Agcli(passphrase, file[:agcliSalt])
	if err != nil {
		return nil, err
	}
	defer wipe(key)
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := gcm.Open(nil, file[agcliSalt:agcliSalt+agcliNonce], file[agcliSalt+agcliNonce:], nil)
	if err != nil {
		return nil, errOpen
	}
	return plain, nil
}
