package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"

	"github.com/gofrs/flock"
	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/tao"
)

// SaveOptions says how a key is kept.
type SaveOptions struct {
	Passphrase []byte `json:"-"` // encrypts the file ($NACL); the caller wipes it
	Plain      bool   // keeps it unencrypted; then there must be no passphrase
	Replace    bool   // Save, Watch: put it in place of another key, which is kept as a backup
	KeepOld    bool   // Passwd: keep the old file as a backup; it opens with the old passphrase
	OmitPhrase bool   // keep the private key alone, neither mnemonic nor seed
}

// Format prints the options without the passphrase, whatever the verb.
func (o SaveOptions) Format(f fmt.State, _ rune) {
	fmt.Fprintf(f, "{Plain:%t Replace:%t KeepOld:%t OmitPhrase:%t}", o.Plain, o.Replace, o.KeepOld, o.OmitPhrase)
}

// Saved says what was written.
type Saved struct {
	Ref     Ref         `json:"ref"`
	Account tao.Account `json:"account"`
	Path    string      `json:"path"`
	Backup  string      `json:"backup,omitempty"` // where the key that stood there before is kept
}

// PassphraseError says why a passphrase cannot protect a new file.
type PassphraseError struct{ Reason string }

func (e *PassphraseError) Error() string { return "the passphrase " + e.Reason }

// CheckPassphrase refuses what another tool could not be given: the empty
// passphrase, bytes that are no UTF-8, and white space at either end, which
// the official wallet's prompt cuts off. Nothing of it is asked of passphrases
// for files that exist.
func CheckPassphrase(p []byte) error {
	switch {
	case len(p) == 0:
		return &PassphraseError{"is empty"}
	case !utf8.Valid(p):
		return &PassphraseError{"is not UTF-8 text"}
	case len(bytes.TrimSpace(p)) != len(p):
		return &PassphraseError{"begins or ends with white space, which the official wallet's prompt cuts off"}
	}
	return nil
}

func (o SaveOptions) check() error {
	if !o.Plain {
		return CheckPassphrase(o.Passphrase)
	}
	if len(o.Passphrase) > 0 {
		return errors.New("a key is to be kept unencrypted, and yet there is a passphrase")
	}
	return nil
}

// Encode makes the bytes of a key's file without writing them, for export: the
// official wallets read it as a coldkey or hotkey file.
func Encode(ctx context.Context, k *Key, u *Unlocker, o SaveOptions) ([]byte, error) {
	var file []byte
	err := k.secret.borrow(func(m *material) (err error) {
		file, err = encode(ctx, m, u, o)
		return err
	})
	return file, err
}

// encode encrypts and proves, by opening the result again, that the key can be
// had back from it.
func encode(ctx context.Context, m *material, u *Unlocker, o SaveOptions) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	plain := m.encode(!o.OmitPhrase)
	if o.Plain {
		return plain, prove(plain, m)
	}
	defer wipe(plain)
	key, err := u.derive(ctx, NaCl, bytes.Clone(o.Passphrase))
	if err != nil {
		return nil, fmt.Errorf("encrypting the key: %w", err)
	}
	defer wipe(key)
	file := sealNaCl(plain, key)
	again, err := openNaCl(file, key)
	if err != nil {
		return nil, fmt.Errorf("opening a file just encrypted: %w", err)
	}
	defer wipe(again)
	return file, prove(again, m)
}

func prove(plain []byte, m *material) error {
	again, err := parseSecret(plain)
	if err != nil {
		return fmt.Errorf("reading a key just written: %w", err)
	}
	defer again.wipe()
	if again.account != m.account || again.scheme != m.scheme || !bytes.Equal(again.private, m.private) {
		return errors.New("a key just written reads as another key")
	}
	return nil
}

// Save keeps a key under a name, with its public file beside it. Another key
// there is an *ExistsError, or with Replace becomes a backup. Watching an
// account already and saving its secret is no replacement. Derived keys are
// shared through u. Errors are also *NameError and *PassphraseError.
func (s *Store) Save(ctx context.Context, ref Ref, k *Key, u *Unlocker, o SaveOptions) (Saved, error) {
	if err := ref.checkNew(); err != nil {
		return Saved{}, err
	}
	// Whatever can be refused is refused before the seconds of encryption.
	if err := s.refuseReplace(ref, k.account, o.Replace); err != nil {
		return Saved{}, err
	}
	file, err := Encode(ctx, k, u, o)
	if err != nil {
		return Saved{}, fmt.Errorf("saving %s: %w", ref.what(), err)
	}
	if o.Plain {
		defer wipe(file)
	}
	saved := Saved{Ref: ref, Account: k.account, Path: filepath.Join(s.dir, ref.secretFile())}
	err = s.locked(ctx, func() error {
		if err := s.refuseReplace(ref, k.account, o.Replace); err != nil {
			return err
		}
		if err := s.makeFolders(ref); err != nil {
			return err
		}
		if !o.Replace {
			return s.create(ref, k.account, file)
		}
		saved.Backup, err = s.replace(ref, k.account, file)
		return err
	})
	return saved, err
}

// create puts a new key in place: the secret first, which must not be lost.
func (s *Store) create(ref Ref, account tao.Account, file []byte) error {
	secret := filepath.Join(s.dir, ref.secretFile())
	if err := s.files.Create(secret, file, secretMode); err != nil {
		return asExists(err, ref.what(), secret)
	}
	if err := s.readBack(ref, file); err != nil {
		return err
	}
	return s.files.Write(filepath.Join(s.dir, ref.pubFile()), encodePublic(account), secretMode)
}

// refuseReplace reports a key that would be lost from sight.
func (s *Store) refuseReplace(ref Ref, account tao.Account, replace bool) error {
	if replace {
		return nil
	}
	if path := filepath.Join(s.dir, ref.secretFile()); exists(path) {
		return &ExistsError{What: ref.what(), Path: path}
	}
	path := filepath.Join(s.dir, ref.pubFile())
	if !exists(path) {
		return nil
	}
	if watched, known, err := s.readPublic(ref); err == nil && known && watched == account {
		return nil
	}
	return &ExistsError{What: "public file of " + ref.what(), Path: path}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// replace puts secret and public file in place. In between a crash leaves a key
// without public file, never a pair that does not belong together: the old
// public file goes first, once both are in the backup.
func (s *Store) replace(ref Ref, account tao.Account, file []byte) (backup string, err error) {
	if backup, err = s.backUp(ref); err != nil {
		return "", err
	}
	public := filepath.Join(s.dir, ref.pubFile())
	if err := removeIfThere(public); err != nil {
		return backup, err
	}
	if err := s.files.Write(filepath.Join(s.dir, ref.secretFile()), file, secretMode); err != nil {
		return backup, err
	}
	if err := s.readBack(ref, file); err != nil {
		return backup, err
	}
	return backup, s.files.Write(public, encodePublic(account), secretMode)
}

const (
	secretMode fs.FileMode = 0o600
	folderMode fs.FileMode = 0o700
)

func removeIfThere(path string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func asExists(err error, what, path string) error {
	if errors.Is(err, fs.ErrExist) {
		return &ExistsError{What: what, Path: path}
	}
	return err
}

// readBack compares what stands on the disk with what was written.
func (s *Store) readBack(ref Ref, file []byte) error {
	got, err := s.read(ref.secretFile(), true)
	if err != nil {
		return fmt.Errorf("reading back %s: %w", ref.what(), err)
	}
	defer wipe(got)
	if !bytes.Equal(got, file) {
		return fmt.Errorf("reading back %s: the disk holds something else", ref.what())
	}
	return nil
}

// makeFolders makes the store, the wallet and its hotkeys folder. A link on the
// way that leaves the store is an error.
func (s *Store) makeFolders(ref Ref) error {
	if err := os.MkdirAll(s.dir, folderMode); err != nil {
		return fmt.Errorf("making the wallets folder: %w", err)
	}
	return s.makeFolder(filepath.Dir(ref.secretFile()))
}

func (s *Store) makeFolder(rel string) error {
	root, err := os.OpenRoot(s.dir)
	if err != nil {
		return fmt.Errorf("opening the wallets folder: %w", err)
	}
	defer root.Close()
	path := filepath.Join(s.dir, rel)
	if err := root.MkdirAll(rel, folderMode); err != nil && s.escapes(root, rel) {
		return &UnsafeFileError{Path: path, Reason: "is a symbolic link that leaves the wallets folder"}
	} else if err != nil {
		return fmt.Errorf("making the folder %s: %w", path, err)
	}
	if info, err := root.Stat(rel); err != nil || !info.IsDir() {
		return &UnsafeFileError{Path: path, Reason: "is not a folder inside the wallets folder"}
	}
	return errors.Join(atomicfile.SyncDir(filepath.Dir(path)), atomicfile.SyncDir(s.dir))
}

// backUp copies a key's files into the wallet's backups folder and returns the
// path of the secret's copy, or of the public one where there is no secret. It
// returns "" where there is nothing to lose.
func (s *Store) backUp(ref Ref) (string, error) {
	kept := ""
	for _, rel := range []string{ref.pubFile(), ref.secretFile()} {
		data, err := os.ReadFile(filepath.Join(s.dir, rel))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return "", fmt.Errorf("backing up %s: %w", ref.what(), err)
		}
		kept, err = s.keep(ref, filepath.Base(rel), data)
		wipe(data)
		if err != nil {
			return "", fmt.Errorf("backing up %s: %w", ref.what(), err)
		}
	}
	return kept, nil
}

// keep writes one backup under a name that says when, and never over another.
func (s *Store) keep(ref Ref, name string, data []byte) (string, error) {
	rel := filepath.Join(ref.Wallet, backupsDir)
	if ref.Hotkey != "" {
		rel = filepath.Join(rel, hotkeysDir)
	}
	if err := s.makeFolder(rel); err != nil {
		return "", err
	}
	stamp := s.now().UTC().Format("20060102T150405.000Z")
	path := filepath.Join(s.dir, rel, name+"."+stamp)
	return path, s.files.Create(path, data, secretMode)
}

// Watch keeps an account without a secret, so that it can be looked at by
// name. A secret under the name is an *ExistsError; another watched account is
// too, unless replace is set.
func (s *Store) Watch(ctx context.Context, ref Ref, account tao.Account, replace bool) (Saved, error) {
	if err := ref.checkNew(); err != nil {
		return Saved{}, err
	}
	saved := Saved{Ref: ref, Account: account, Path: filepath.Join(s.dir, ref.pubFile())}
	err := s.locked(ctx, func() (err error) {
		if secret := filepath.Join(s.dir, ref.secretFile()); exists(secret) {
			return &ExistsError{What: ref.what(), Path: secret}
		}
		if err := s.refuseReplace(ref, account, replace); err != nil {
			return err
		}
		if err := s.makeFolders(ref); err != nil {
			return err
		}
		if saved.Backup, err = s.backUp(ref); err != nil {
			return err
		}
		return s.files.Write(saved.Path, encodePublic(account), secretMode)
	})
	return saved, err
}

// Passwd writes a key anew under another passphrase, or with Plain under none.
// It also brings files of old formats to the current one. At every moment the
// old file or the new one stands whole; the old one goes only when the new one
// was opened and compared.
func (s *Store) Passwd(ctx context.Context, ref Ref, u *Unlocker, o SaveOptions) (Saved, error) {
	before, err := s.read(ref.secretFile(), true)
	if err != nil {
		return Saved{}, err
	}
	defer wipe(before)
	m, err := s.unlock(ctx, ref, u)
	if err != nil {
		return Saved{}, err
	}
	defer m.wipe()
	file, err := encode(ctx, m, u, o)
	if err != nil {
		return Saved{}, fmt.Errorf("re-encrypting %s: %w", ref.what(), err)
	}
	saved := Saved{Ref: ref, Account: m.account, Path: filepath.Join(s.dir, ref.secretFile())}
	err = s.locked(ctx, func() (err error) {
		if err := s.readBack(ref, before); err != nil {
			return fmt.Errorf("%s changed meanwhile: %w", ref.what(), err)
		}
		if o.KeepOld {
			if saved.Backup, err = s.backUp(ref); err != nil {
				return err
			}
		}
		if err := s.files.Write(saved.Path, file, secretMode); err != nil {
			return err
		}
		if err := s.readBack(ref, file); err != nil {
			// The old file is still in memory, and nowhere else.
			return errors.Join(err, s.files.Write(saved.Path, before, secretMode))
		}
		return s.files.Write(filepath.Join(s.dir, ref.pubFile()), encodePublic(m.account), secretMode)
	})
	return saved, err
}

// Rename gives a wallet (with its hotkeys) or a hotkey another name. A hotkey
// may move to another wallet. What is there already is an *ExistsError.
func (s *Store) Rename(ctx context.Context, from, to Ref) error {
	if err := errors.Join(from.check(), to.checkNew()); err != nil {
		return err
	}
	if (from.Hotkey == "") != (to.Hotkey == "") {
		return fmt.Errorf("renaming %s to %s: one is a wallet and the other a hotkey", from, to)
	}
	return s.locked(ctx, func() error {
		if err := errors.Join(s.refuseLinked(from), s.refuseLinked(to)); err != nil {
			return err
		}
		if from.Hotkey == "" {
			return s.move(from, from.Wallet, to.Wallet)
		}
		if err := s.refuseTaken(to); err != nil && !s.halfRenamed(from, to) {
			return err
		}
		if err := s.makeFolders(to); err != nil {
			return err
		}
		// The public file first: between the two, the secret still has a name.
		if exists(filepath.Join(s.dir, from.pubFile())) {
			if err := s.move(from, from.pubFile(), to.pubFile()); err != nil || !exists(filepath.Join(s.dir, from.secretFile())) {
				return err
			}
		}
		return s.move(from, from.secretFile(), to.secretFile())
	})
}

// halfRenamed reports what a rename leaves that was interrupted between its two
// files: a secret under the old name, its public file under the new one. If
// they do not belong together, unlocking says so.
func (s *Store) halfRenamed(from, to Ref) bool {
	there := func(rel string) bool { return exists(filepath.Join(s.dir, rel)) }
	half := there(from.secretFile()) && !there(from.pubFile()) && there(to.pubFile()) && !there(to.secretFile())
	old, moved := s.describe(from), s.describe(to)
	return half && (!old.Known || old.Account == moved.Account)
}

func (s *Store) refuseTaken(ref Ref) error {
	for _, rel := range []string{ref.secretFile(), ref.pubFile()} {
		if path := filepath.Join(s.dir, rel); exists(path) {
			return &ExistsError{What: ref.what(), Path: path}
		}
	}
	return nil
}

func (s *Store) move(ref Ref, from, to string) error {
	source, target := filepath.Join(s.dir, from), filepath.Join(s.dir, to)
	err := atomicfile.Move(source, target)
	switch {
	case errors.Is(err, fs.ErrExist):
		return &ExistsError{What: to, Path: target}
	case errors.Is(err, fs.ErrNotExist):
		return &NotFoundError{What: ref.what(), Path: source}
	case err != nil:
		return fmt.Errorf("renaming %s: %w", ref.what(), err)
	}
	return nil
}

// Remove deletes a hotkey, or with a coldkey's Ref the whole wallet with its
// hotkeys and backups. Only keys and their backups are deleted; if something
// else stands in the wallet's folder, it stays and so does the folder. Without
// another copy the key is lost for ever: asking first is the caller's affair.
func (s *Store) Remove(ctx context.Context, ref Ref) error {
	if err := ref.check(); err != nil {
		return err
	}
	return s.locked(ctx, func() error {
		if err := s.refuseLinked(ref); err != nil {
			return err
		}
		if ref.Hotkey == "" {
			return s.removeWallet(ref)
		}
		paths := []string{filepath.Join(s.dir, ref.secretFile()), filepath.Join(s.dir, ref.pubFile())}
		if !exists(paths[0]) && !exists(paths[1]) {
			return &NotFoundError{What: ref.what(), Path: paths[0]}
		}
		return errors.Join(removeIfThere(paths[0]), removeIfThere(paths[1]), atomicfile.SyncDir(filepath.Dir(paths[0])))
	})
}

// refuseLinked refuses to delete or move through a symbolic link: what lies
// behind it, perhaps on a stick that is the only backup, is not the store's.
func (s *Store) refuseLinked(ref Ref) error {
	for _, rel := range []string{ref.Wallet, filepath.Join(ref.Wallet, hotkeysDir), filepath.Join(ref.Wallet, backupsDir)} {
		path := filepath.Join(s.dir, rel)
		if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return &UnsafeFileError{Path: path, Reason: "is a symbolic link: nothing is deleted or moved through it"}
		}
	}
	return nil
}

func (s *Store) removeWallet(ref Ref) error {
	folder := filepath.Join(s.dir, ref.Wallet)
	if _, err := s.Wallet(ref.Wallet); err != nil {
		return err
	}
	err := errors.Join(
		os.RemoveAll(filepath.Join(folder, hotkeysDir)),
		os.RemoveAll(filepath.Join(folder, backupsDir)),
		removeIfThere(filepath.Join(s.dir, ref.secretFile())),
		removeIfThere(filepath.Join(s.dir, ref.pubFile())),
		removeIfThere(filepath.Join(folder, oldHotkeyPub)),
		removeIfThere(filepath.Join(folder, confirmedFile)),
	)
	if err != nil {
		return fmt.Errorf("removing wallet %s: %w", ref.Wallet, err)
	}
	if left, err := os.ReadDir(folder); err == nil && len(left) == 0 {
		return errors.Join(os.Remove(folder), atomicfile.SyncDir(s.dir))
	}
	return atomicfile.SyncDir(folder)
}

// MoveAside moves a whole wallet out of the store, to a folder that must not
// exist and lies on the same file system: removing with a way back.
func (s *Store) MoveAside(ctx context.Context, wallet, target string) error {
	if err := checkElement(wallet); err != nil {
		return err
	}
	return s.locked(ctx, func() error {
		source := filepath.Join(s.dir, wallet)
		err := atomicfile.Move(source, target)
		switch {
		case errors.Is(err, fs.ErrExist):
			return &ExistsError{What: "folder", Path: target}
		case errors.Is(err, fs.ErrNotExist):
			return &NotFoundError{What: "wallet " + wallet, Path: source}
		}
		return err
	})
}

// lockFile stands in the wallets folder, where the official tools look for
// folders only.
const lockFile = ".taoctl.lock"

// locked runs f while no other process changes the store. Readers need no
// turn: they always see whole files.
func (s *Store) locked(ctx context.Context, f func() error) error {
	if err := os.MkdirAll(s.dir, folderMode); err != nil {
		return fmt.Errorf("making the wallets folder: %w", err)
	}
	l := flock.New(filepath.Join(s.dir, lockFile), flock.SetPermissions(secretMode))
	if _, err := l.TryLockContext(ctx, 50*time.Millisecond); err != nil {
		return fmt.Errorf("waiting for another process to finish with %s: %w", s.dir, err)
	}
	defer l.Close()
	return f()
}

// OpenBytes opens a key in any of the formats, from outside a store: an export,
// an old wallet's file, a mnemonic, a seed, a secret URI. What names it in
// questions and errors. Format is Detect's answer, or what the caller knows
// better. The caller wipes data.
func OpenBytes(ctx context.Context, what string, data []byte, format Format, u *Unlocker) (*Key, error) {
	m, err := openMaterial(ctx, what, what, format, data, u)
	if err != nil {
		return nil, err
	}
	return newKey(m), nil
}

// ReadFile reads a key's file from anywhere, for import and inspection. Links
// are followed and modes are not looked at; folders, devices, pipes and files
// over 1 MiB are refused, and it never waits.
func ReadFile(path string) ([]byte, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|openNonblock, 0)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &NotFoundError{What: "file", Path: path}
		}
		return nil, fmt.Errorf("reading a key: %w", err)
	}
	defer f.Close()
	return readChecked(f, path, false, maxPolkadot)
}
