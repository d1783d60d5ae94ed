package keystore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/tao"
)

// Store is a wallets folder, such as ~/.bittensor/wallets. It need not exist
// until something is saved.
type Store struct {
	dir        string
	looseModes bool
	now        func() time.Time // names backups
	files      atomicfile.Writer
}

// Option changes how a Store behaves.
type Option func(*Store)

// AllowLooseModes has secrets read from files that other users may read or that
// belong to another user, which is refused otherwise.
func AllowLooseModes() Option { return func(s *Store) { s.looseModes = true } }

// Open names a wallets folder. It does not touch the disk.
func Open(dir string, opts ...Option) *Store {
	s := &Store{dir: dir, now: time.Now}
	for _, o := range opts {
		o(s)
	}
	return s
}

// Dir is the folder.
func (s *Store) Dir() string { return s.dir }

// Info is what the files of a key tell without a passphrase.
type Info struct {
	Ref       Ref         `json:"ref"`
	Account   tao.Account `json:"account"`   // meaningful if Known
	Known     bool        `json:"known"`     // whether the files tell the account
	Secret    bool        `json:"secret"`    // whether a secret is there: without one the key is only watched
	Format    Format      `json:"format"`    // of the secret's file; empty without one
	Encrypted bool        `json:"encrypted"` // whether unlocking takes a passphrase
	Problem   error       `json:"-"`         // why the files cannot be used as they are
	Path      string      `json:"path"`      // the secret's file, or the public one without a secret
}

// Wallet is a coldkey and its hotkeys.
type Wallet struct {
	Name    string `json:"name"`
	Coldkey Info   `json:"coldkey"`
	Hotkeys []Info `json:"hotkeys"` // by name
}

// Wallets lists every wallet of the store by name, and no secret is asked for.
// A key that cannot be read is listed with its Problem. A folder without keys
// is no wallet. The error is one of the store itself; a store that does not
// exist yet has no wallets.
func (s *Store) Wallets() ([]Wallet, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("listing wallets: %w", err)
	}
	var wallets []Wallet
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") || !s.isDir(e.Name()) {
			continue
		}
		w, err := s.Wallet(e.Name())
		if err == nil {
			wallets = append(wallets, w)
		}
	}
	return wallets, nil
}

func (s *Store) isDir(rel string) bool {
	info, err := os.Stat(filepath.Join(s.dir, rel))
	return err == nil && info.IsDir()
}

// Wallet describes one wallet. Errors are *NameError and *NotFoundError.
func (s *Store) Wallet(name string) (Wallet, error) {
	if err := checkElement(name); err != nil {
		return Wallet{}, err
	}
	w := Wallet{Name: name, Coldkey: s.describe(Ref{Wallet: name})}
	for _, hotkey := range s.hotkeyNames(name) {
		w.Hotkeys = append(w.Hotkeys, s.describe(Ref{Wallet: name, Hotkey: hotkey}))
	}
	if isAbsent(w.Coldkey.Problem) && len(w.Hotkeys) == 0 {
		return Wallet{}, &NotFoundError{What: "wallet " + name, Path: filepath.Join(s.dir, name)}
	}
	return w, nil
}

// hotkeyNames lists the hotkeys that have a secret or a public file. Files that
// tools leave beside keys are passed over.
func (s *Store) hotkeyNames(wallet string) []string {
	entries, err := os.ReadDir(filepath.Join(s.dir, wallet, hotkeysDir))
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), pubSuffix)
		if e.IsDir() || beside(e.Name()) || name == "" {
			continue
		}
		if len(names) == 0 || names[len(names)-1] != name { // sorted: the public file follows
			names = append(names, name)
		}
	}
	return compact(names)
}

// compact drops repeated names. A name between a key and its public file, such
// as "a-b" between "a" and "apub.txt", keeps the two apart in sorted order.
func compact(names []string) []string {
	seen := make(map[string]bool)
	var out []string
	for _, n := range names {
		if !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	return out
}

// beside reports files that stand beside keys: locks, temporary files, what
// desktops leave.
func beside(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".lock") || strings.HasSuffix(name, ".tmp")
}

// Info describes one key. The error is what Problem would be.
func (s *Store) Info(ref Ref) (Info, error) {
	if err := ref.check(); err != nil {
		return Info{}, err
	}
	i := s.describe(ref)
	return i, i.Problem
}

// Account returns a key's account as its public file tells it, or its secret's
// if that is not encrypted. No passphrase is asked for.
func (s *Store) Account(ref Ref) (tao.Account, error) {
	i, err := s.Info(ref)
	if err != nil {
		return tao.Account{}, err
	}
	if !i.Known {
		return tao.Account{}, &NotFoundError{What: "public file of " + ref.what(), Path: filepath.Join(s.dir, ref.pubFile())}
	}
	return i.Account, nil
}

func (s *Store) describe(ref Ref) Info {
	i := Info{Ref: ref, Path: filepath.Join(s.dir, ref.secretFile())}
	account, known, pubErr := s.readPublic(ref)
	i.Account, i.Known = account, known
	secret, err := s.read(ref.secretFile(), true)
	switch {
	case isAbsent(err) && !known && pubErr == nil:
		i.Problem = &NotFoundError{What: ref.what(), Path: i.Path}
		return i
	case isAbsent(err):
		i.Path, i.Problem = filepath.Join(s.dir, ref.pubFile()), pubErr
		return i
	case err != nil:
		i.Secret, i.Problem = true, err
		return i
	}
	defer wipe(secret)
	i.Secret, i.Problem = true, pubErr
	i.Format = Detect(secret)
	if i.Encrypted = i.Format.Encrypted(); !i.Encrypted {
		s.describePlain(&i, secret)
	} else if err := checkShape(i.Format, secret); err != nil {
		i.Problem = errors.Join(i.Problem, located(err, i.Path))
	}
	return i
}

// describePlain takes the account from a secret that is not encrypted.
func (s *Store) describePlain(i *Info, secret []byte) {
	m, err := parseSecret(secret)
	if err != nil {
		i.Problem = errors.Join(i.Problem, located(err, i.Path))
		return
	}
	defer m.wipe()
	if i.Known && i.Account != m.account {
		i.Problem = s.pubMismatch(i.Ref, m.account, i.Account)
	}
	i.Account, i.Known = m.account, true
}

func (s *Store) pubMismatch(ref Ref, secret, public tao.Account) error {
	return &MismatchError{
		Path:   filepath.Join(s.dir, ref.secretFile()),
		Fields: []string{"the secret is " + secret.String(), filepath.Base(ref.pubFile()) + " says " + public.String()},
	}
}

func (s *Store) readPublic(ref Ref) (account tao.Account, known bool, err error) {
	data, err := s.read(ref.pubFile(), false)
	if isAbsent(err) {
		return account, false, nil
	}
	if err != nil {
		return account, false, err
	}
	account, err = parsePublic(data)
	if err != nil {
		return account, false, located(err, filepath.Join(s.dir, ref.pubFile()))
	}
	return account, true, nil
}

func isAbsent(err error) bool {
	var absent *NotFoundError
	return errors.As(err, &absent)
}

// located puts a path to an error about a file's content.
func located(err error, path string) error {
	var mismatch *MismatchError
	if errors.As(err, &mismatch) && mismatch.Path == "" {
		return &MismatchError{Path: path, Fields: mismatch.Fields}
	}
	var unsupported *UnsupportedError
	if errors.As(err, &unsupported) {
		return &UnsupportedError{Path: path, What: unsupported.What}
	}
	return &MalformedError{Path: path, Cause: err}
}

// Unlock opens a key. It fails if the secret is not that of the public file
// beside it: whoever can write that file could otherwise direct funds. Errors
// are *NotFoundError, *WrongPassphraseError, *MalformedError, *MismatchError,
// *UnsupportedError, *UnsafeFileError, *MemoryError, ErrNoPassphrase, the
// callback's own and ctx's.
func (s *Store) Unlock(ctx context.Context, ref Ref, u *Unlocker) (*Key, error) {
	m, err := s.unlock(ctx, ref, u)
	if err != nil {
		return nil, err
	}
	return newKey(m), nil
}

func (s *Store) unlock(ctx context.Context, ref Ref, u *Unlocker) (*material, error) {
	if err := ref.check(); err != nil {
		return nil, err
	}
	path := filepath.Join(s.dir, ref.secretFile())
	data, err := s.read(ref.secretFile(), true)
	if isAbsent(err) {
		return nil, &NotFoundError{What: "secret of " + ref.what(), Path: path}
	}
	if err != nil {
		return nil, err
	}
	defer wipe(data)
	m, err := openMaterial(ctx, ref.what(), path, Detect(data), data, u)
	if err != nil {
		return nil, err
	}
	public, known, err := s.readPublic(ref)
	if err == nil && known && public != m.account {
		err = s.pubMismatch(ref, m.account, public)
	}
	if err != nil {
		m.wipe()
		return nil, err
	}
	return m, nil
}

// openMaterial opens a key's bytes in any format.
func openMaterial(ctx context.Context, what, path string, format Format, data []byte, u *Unlocker) (*material, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if format == PolkadotJS {
		return openPolkadot(ctx, what, path, data, u)
	}
	plain := bytes.Clone(data)
	if format.Encrypted() {
		var err error
		if plain, err = u.open(ctx, what, format, data); err != nil {
			return nil, err
		}
	}
	defer wipe(plain)
	m, err := parseSecret(plain)
	if err != nil {
		return nil, located(err, path)
	}
	return m, nil
}

func openPolkadot(ctx context.Context, what, path string, data []byte, u *Unlocker) (*material, error) {
	f, err := parsePolkadot(data)
	if err != nil {
		return nil, located(err, path)
	}
	var body []byte
	if f.encrypted() {
		body, err = u.open(ctx, what, PolkadotJS, data)
	} else {
		body, err = f.open(nil)
	}
	if err != nil {
		return nil, err
	}
	defer wipe(body)
	m, err := f.material(body)
	if err != nil {
		return nil, located(err, path)
	}
	return m, nil
}
