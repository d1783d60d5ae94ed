package keystore

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/keystore/internal/kdf"
)

// Passphrase asks for the passphrase of what prompt names. The keystore takes
// over the bytes and wipes them. An error ends the operation; asking again
// after a wrong passphrase is the caller's affair.
type Passphrase func(prompt string) ([]byte, error)

// Unlocker opens encrypted files. It asks for a passphrase when a file needs
// one, and remembers what was derived from it, because that takes seconds: all
// $NACL files under one passphrase share one key, so that a wallet with a
// coldkey and ten hotkeys costs one derivation and one question. Its owner
// wipes it. It is safe for several goroutines.
type Unlocker struct {
	ask     Passphrase
	working func(Format) (done func())
	cache   sealed[*keyCache]
}

// NewUnlocker makes an Unlocker. Ask may be nil, which serves files that are
// not encrypted; an encrypted one then gives ErrNoPassphrase.
func NewUnlocker(ask Passphrase) *Unlocker {
	c := new(keyCache)
	rand.Read(c.salt[:])
	return &Unlocker{ask: ask, cache: seal(c, (*keyCache).wipe)}
}

// OnWork has f called when a derivation begins, and what f returns when it
// ends: a place for a spinner. It returns u, and is set before first use.
func (u *Unlocker) OnWork(f func(Format) (done func())) *Unlocker {
	u.working = f
	return u
}

// Wipe overwrites the derived keys. The Unlocker is of no use afterwards.
func (u *Unlocker) Wipe() { u.cache.clear() }

// String says what it is.
func (u *Unlocker) String() string { return "unlocker" }

// keyCache holds keys derived under fixed salts. A passphrase is known by its
// HMAC under a random key, so that it need not be kept.
type keyCache struct {
	salt [32]byte
	keys []derivedKey
}

type derivedKey struct {
	format Format
	id     [sha256.Size]byte
	key    []byte
}

func (c *keyCache) wipe() {
	for _, k := range c.keys {
		wipe(k.key)
	}
	clear(c.keys)
	clear(c.salt[:])
	c.keys = nil
}

func (c *keyCache) id(passphrase []byte) (id [sha256.Size]byte) {
	h := hmac.New(sha256.New, c.salt[:])
	h.Write(passphrase)
	h.Sum(id[:0])
	return id
}

// open decrypts a file of an encrypted format. What names it in the question
// and in errors.
func (u *Unlocker) open(ctx context.Context, what string, format Format, file []byte) ([]byte, error) {
	if u == nil {
		return nil, fmt.Errorf("%s: %w", what, ErrNoPassphrase)
	}
	if fixedSalt(format) {
		return u.openShared(ctx, what, format, file)
	}
	open, err := opener(format, file)
	if err != nil {
		return nil, &MalformedError{Path: what, Cause: err}
	}
	passphrase, err := u.askFor(what)
	if err != nil {
		return nil, err
	}
	plain, err := u.work(ctx, format, passphrase, open)
	return plain, explain(what, format, err)
}

func fixedSalt(f Format) bool { return f == NaCl || f == Fernet }

// opener parses a file whose key depends on a salt of its own.
func opener(format Format, file []byte) (func(passphrase []byte) ([]byte, error), error) {
	switch format {
	case Ansible:
		v, err := parseVault(file)
		return v.open, err
	case PolkadotJS:
		f, err := parsePolkadot(file)
		if err != nil {
			return nil, err
		}
		return f.open, nil
	case Agcli:
		return func(passphrase []byte) ([]byte, error) { return openAgcli(file, passphrase) }, nil
	}
	return nil, fmt.Errorf("%s is not an encrypted format", format)
}

// openShared tries the keys at hand before it asks.
func (u *Unlocker) openShared(ctx context.Context, what string, format Format, file []byte) ([]byte, error) {
	plain, err := u.openKnown(format, file)
	if plain != nil || err != nil {
		return plain, explain(what, format, err)
	}
	if format == NaCl {
		if err := kdf.ReadyForNaCl(); err != nil { // before a person has typed for nothing
			return nil, fmt.Errorf("%s: %w", what, err)
		}
	}
	passphrase, err := u.askFor(what)
	if err != nil {
		return nil, err
	}
	key, err := u.derive(ctx, format, passphrase)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	defer wipe(key)
	plain, err = openWith(format, file, key)
	return plain, explain(what, format, err)
}

func openWith(format Format, file, key []byte) ([]byte, error) {
	if format == Fernet {
		return openFernet(file, key)
	}
	return openNaCl(file, key)
}

// checkShape finds out whether an encrypted file is whole, without its key.
func checkShape(format Format, file []byte) error {
	if !fixedSalt(format) {
		_, err := opener(format, file)
		return err
	}
	if _, err := openWith(format, file, make([]byte, kdf.KeySize)); err != nil && !errors.Is(err, errOpen) {
		return err
	}
	return nil
}

// openKnown returns nil where no key at hand fits. A file that is malformed is
// found out even where there is no key.
func (u *Unlocker) openKnown(format Format, file []byte) (plain []byte, err error) {
	if err := checkShape(format, file); err != nil {
		return nil, err
	}
	err = u.cache.borrow(func(c *keyCache) error {
		for _, k := range c.keys {
			if k.format != format {
				continue
			}
			if plain, err = openWith(format, file, k.key); !errors.Is(err, errOpen) {
				return err
			}
		}
		return nil
	})
	return plain, err
}

// derive gives the key of a passphrase under a format's fixed salt, and takes
// over the passphrase. The result is the caller's to wipe.
func (u *Unlocker) derive(ctx context.Context, format Format, passphrase []byte) ([]byte, error) {
	if u == nil {
		u = NewUnlocker(nil)
		defer u.Wipe()
	}
	var key []byte
	var id [sha256.Size]byte
	err := u.cache.borrow(func(c *keyCache) error {
		id = c.id(passphrase)
		key = c.find(format, id)
		return nil
	})
	if key != nil || err != nil {
		wipe(passphrase)
		return key, err
	}
	key, err = u.work(ctx, format, passphrase, kdfOf(format))
	if err != nil {
		return nil, err
	}
	return key, u.cache.borrow(func(c *keyCache) error {
		c.keys = append(c.keys, derivedKey{format, id, bytes.Clone(key)})
		return nil
	})
}

func (c *keyCache) find(format Format, id [sha256.Size]byte) []byte {
	for _, k := range c.keys {
		if k.format == format && k.id == id {
			return bytes.Clone(k.key)
		}
	}
	return nil
}

func kdfOf(f Format) func([]byte) ([]byte, error) {
	if f == Fernet {
		return kdf.Fernet
	}
	return kdf.NaCl
}

// work runs a slow step on a passphrase, which it takes over. Derivations
// cannot be stopped halfway: where ctx ends first, work returns at once and the
// step runs out on its own, wiping what it made.
func (u *Unlocker) work(ctx context.Context, format Format, passphrase []byte, step func([]byte) ([]byte, error)) ([]byte, error) {
	if u.working != nil {
		if done := u.working(format); done != nil {
			defer done()
		}
	}
	type result struct {
		out []byte
		err error
	}
	results := make(chan result) // unbuffered: somebody takes the result, or the step wipes it
	go func() {
		defer wipe(passphrase)
		out, err := step(passphrase)
		select {
		case results <- result{out, err}:
		case <-ctx.Done():
			wipe(out)
		}
	}()
	select {
	case r := <-results:
		return r.out, r.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (u *Unlocker) askFor(what string) ([]byte, error) {
	if u.ask == nil {
		return nil, fmt.Errorf("%s: %w", what, ErrNoPassphrase)
	}
	passphrase, err := u.ask(what)
	if err != nil {
		return nil, fmt.Errorf("asking for the passphrase of %s: %w", what, err)
	}
	return passphrase, nil
}

// explain turns an error of decryption into one about a file.
func explain(what string, format Format, err error) error {
	var memory *MemoryError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, errOpen):
		return &WrongPassphraseError{What: what, Format: format}
	case errors.As(err, &memory), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded), errors.Is(err, ErrWiped):
		return fmt.Errorf("%s: %w", what, err)
	}
	return &MalformedError{Path: what, Cause: err}
}
