package keystore

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/taoctl/taoctl/keystore/internal/kdf"
)

// ErrWiped is the error of a key that is used after Wipe.
var ErrWiped = errors.New("key was wiped")

// ErrNoPassphrase says that a file is encrypted and there is nobody to ask.
var ErrNoPassphrase = errors.New("a passphrase is needed, and there is no way to ask for one")

// MemoryError says that unlocking needs more memory than the machine has free;
// $NACL files take 512 MiB.
type MemoryError = kdf.MemoryError

// WrongPassphraseError says that a passphrase did not open a file. A damaged
// file gives the same picture, and the two cannot be told apart.
type WrongPassphraseError struct {
	What   string // the file or key
	Format Format
}

func (e *WrongPassphraseError) Error() string {
	return fmt.Sprintf("%s: wrong passphrase, or the file is damaged", e.What)
}

// NotFoundError says that there is no such wallet, key or file. It satisfies
// errors.Is(err, fs.ErrNotExist).
type NotFoundError struct {
	What string // "wallet alice", "hotkey alice/miner", "secret of coldkey alice"
	Path string
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("no %s (%s)", e.What, e.Path) }

// Is reports fs.ErrNotExist.
func (e *NotFoundError) Is(target error) bool { return target == fs.ErrNotExist }

// ExistsError says that a key or wallet is there already and was not to be
// replaced. It satisfies errors.Is(err, fs.ErrExist).
type ExistsError struct {
	What string
	Path string
}

func (e *ExistsError) Error() string { return fmt.Sprintf("%s exists already (%s)", e.What, e.Path) }

// Is reports fs.ErrExist.
func (e *ExistsError) Is(target error) bool { return target == fs.ErrExist }

// MalformedError says that a file or text is not what it should be.
type MalformedError struct {
	Path  string // the file, or what the text was meant to be
	Cause error
}

func (e *MalformedError) Error() string { return fmt.Sprintf("%s: %v", e.Path, e.Cause) }

// Unwrap returns the cause.
func (e *MalformedError) Unwrap() error { return e.Cause }

// MismatchError says that parts of one key disagree about which key it is.
// Readers of these files differ in what they would believe, so none is.
type MismatchError struct {
	Path   string
	Fields []string // "secretPhrase is 5F..", "ss58Address is 5G.."
}

func (e *MismatchError) Error() string {
	return fmt.Sprintf("%s: the parts disagree: %s", e.Path, strings.Join(e.Fields, ", "))
}

// UnsupportedError says that a key or file is of a kind that is known and not
// handled, such as ecdsa keys.
type UnsupportedError struct {
	Path string
	What string
}

func (e *UnsupportedError) Error() string {
	return fmt.Sprintf("%s: %s is not supported", e.Path, e.What)
}

// NameError says why a name cannot be a wallet's or a hotkey's.
type NameError struct {
	Name   string
	Reason string
}

func (e *NameError) Error() string { return fmt.Sprintf("name %q %s", clip(e.Name), e.Reason) }

// UnsafeFileError says why a file is not to be trusted with a secret, or not
// to be read at all.
type UnsafeFileError struct {
	Path   string
	Reason string // "can be read by others (mode 0644)"
	Fix    string // a shell command that mends it, if there is one
}

func (e *UnsafeFileError) Error() string { return fmt.Sprintf("%s: %s", e.Path, e.Reason) }

// clip keeps a hostile text from flooding an error.
func clip(s string) string {
	if len(s) <= 80 {
		return s
	}
	return strings.ToValidUTF8(s[:77], "") + "..."
}
