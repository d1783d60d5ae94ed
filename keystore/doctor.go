package keystore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/tao"
)

// Severity says how much a finding matters.
type Severity string

// The severities.
const (
	Danger  Severity = "danger"  // a key is lost, wrong, or open to others
	Warning Severity = "warning" // a key is less safe than it could be, or another tool cannot read it
	Note    Severity = "note"    // worth knowing
)

var severityOrder = []Severity{Danger, Warning, Note}

// Finding is one thing that the doctor found.
type Finding struct {
	Ref      Ref      `json:"key,omitzero"`
	Path     string   `json:"path"`
	Severity Severity `json:"severity"`
	What     string   `json:"what"`          // "is open to other users (mode 0644)"
	Fix      string   `json:"fix,omitempty"` // the command that mends it
	// Mend mends it without a secret. It is nil where that is impossible: the
	// command in Fix then asks for what it needs.
	Mend func(context.Context) error `json:"-"`
}

// Examine looks at every file of every wallet and lists what is wrong or could
// be better, the worst first. With an Unlocker it opens the encrypted keys too
// and checks what is inside. Nothing is changed. The error is one of the store
// itself; what is wrong with a key is a finding.
func (s *Store) Examine(ctx context.Context, u *Unlocker) ([]Finding, error) {
	wallets, err := s.Wallets()
	if err != nil {
		return nil, err
	}
	d := &doctor{Store: s, unlocker: u}
	d.folder(Ref{}, s.dir)
	for _, w := range wallets {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		d.wallet(ctx, w)
	}
	slices.SortStableFunc(d.found, func(a, b Finding) int {
		return cmp.Compare(slices.Index(severityOrder, a.Severity), slices.Index(severityOrder, b.Severity))
	})
	return d.found, nil
}

// oldHotkeyPub is where bittensor-wallet 3.1.0 kept one hotkey's public half.
const oldHotkeyPub = "hotkey" + pubSuffix

type doctor struct {
	*Store
	unlocker *Unlocker
	found    []Finding
}

func (d *doctor) add(f Finding) { d.found = append(d.found, f) }

func (d *doctor) wallet(ctx context.Context, w Wallet) {
	ref := Ref{Wallet: w.Name}
	dir := filepath.Join(d.dir, w.Name)
	d.folder(ref, dir)
	d.folder(ref, filepath.Join(dir, hotkeysDir))
	for _, folder := range []string{dir, filepath.Join(dir, hotkeysDir)} {
		d.leftovers(ref, folder)
	}
	if path := filepath.Join(dir, oldHotkeyPub); exists(path) {
		d.add(Finding{Ref: ref, Path: path, Severity: Note, What: "is a public file of bittensor-wallet 3.1.0 only; nothing reads it any more"})
	}
	if !isAbsent(w.Coldkey.Problem) {
		d.key(ctx, w.Coldkey)
	}
	for _, hotkey := range w.Hotkeys {
		d.key(ctx, hotkey)
	}
}

// folder checks who may look into a folder, and who may change it.
func (d *doctor) folder(ref Ref, path string) {
	info, err := os.Stat(path)
	if err != nil || !info.IsDir() || !hasModes {
		return
	}
	f := Finding{
		Ref: ref, Path: path, Severity: Note,
		What: fmt.Sprintf("lets other users list it (mode %04o)", info.Mode().Perm()),
		Fix:  "chmod 700 " + shellQuote(path),
		Mend: func(context.Context) error { return os.Chmod(path, folderMode) },
	}
	switch perm := info.Mode().Perm(); {
	case perm&0o022 != 0:
		f.Severity, f.What = Danger, fmt.Sprintf("lets other users put files into it (mode %04o)", perm)
	case perm&0o077 == 0:
		return
	}
	d.add(f)
}

// leftovers finds files of writes that were interrupted. While the key itself
// is missing, such a file may be the only copy, and stays.
func (d *doctor) leftovers(ref Ref, folder string) {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !strings.HasSuffix(e.Name(), ".tmp") || e.IsDir() {
			continue
		}
		path := filepath.Join(folder, e.Name())
		f := Finding{Ref: ref, Path: path, Severity: Warning, What: "was left behind by an interrupted write"}
		if exists(filepath.Join(folder, tempTarget(e.Name()))) {
			f.Fix = "rm " + shellQuote(path)
			f.Mend = func(context.Context) error { return os.Remove(path) }
		} else {
			f.Severity, f.What = Danger, f.What+", and the file it was to become is missing: it may be the only copy of a key"
			f.Fix = "taoctl wallet inspect " + shellQuote(path)
		}
		d.add(f)
	}
}

// tempTarget is the name that a temporary file was to get.
func tempTarget(name string) string {
	base := strings.TrimSuffix(name, ".tmp")
	if atomicfile.IsTemp(name) {
		base = strings.TrimPrefix(base[:strings.LastIndexByte(base, '.')], atomicfile.TempPrefix)
	}
	return base
}

func (d *doctor) key(ctx context.Context, i Info) {
	d.name(i)
	if i.Problem != nil {
		d.problem(i)
		return
	}
	d.public(i)
	if !i.Secret {
		return
	}
	d.protection(i)
	d.content(ctx, i)
	if !exists(filepath.Join(d.dir, i.Ref.pubFile())) {
		d.noPublic(i)
	}
	if i.Known && !d.BackupConfirmed(i.Ref, i.Account) {
		d.add(Finding{
			Ref: i.Ref, Path: i.Path, Severity: Note,
			What: "nobody has confirmed that its mnemonic is written down",
			Fix:  "taoctl wallet export " + shellQuote(i.Ref.String()) + " --format mnemonic",
		})
	}
}

func (d *doctor) name(i Info) {
	if err := i.Ref.checkNew(); err != nil {
		d.add(Finding{Ref: i.Ref, Path: i.Path, Severity: Note, What: err.Error(), Fix: "taoctl wallet rename " + shellQuote(i.Ref.String()) + " NEWNAME"})
	}
}

// problem reports a key that cannot be used as it is.
func (d *doctor) problem(i Info) {
	f := Finding{Ref: i.Ref, Path: i.Path, Severity: Danger, What: i.Problem.Error()}
	var unsafe *UnsafeFileError
	var mismatch *MismatchError
	switch {
	case errors.As(i.Problem, &unsafe):
		f.Path, f.What, f.Fix = unsafe.Path, unsafe.Reason, unsafe.Fix
		if strings.HasPrefix(unsafe.Fix, "chmod 600 ") {
			f.Mend = func(context.Context) error { return os.Chmod(unsafe.Path, secretMode) }
		}
	case errors.As(i.Problem, &mismatch):
		f.What = "the parts disagree: " + strings.Join(mismatch.Fields, ", ") + "; do not receive funds here until it is clear which is right"
		f.Fix = "taoctl wallet inspect " + shellQuote(i.Path)
	default:
		f.Fix = "taoctl wallet import " + shellQuote(i.Ref.String())
		if backup := d.newestBackup(i.Ref); backup != "" {
			f.What += "; a backup stands at " + backup
			f.Fix += " " + shellQuote(backup)
		}
	}
	d.add(f)
}

func (s *Store) newestBackup(ref Ref) string {
	pattern := filepath.Join(s.dir, ref.Wallet, backupsDir, coldkeyFile+".*")
	if ref.Hotkey != "" {
		pattern = filepath.Join(s.dir, ref.Wallet, backupsDir, hotkeysDir, ref.Hotkey+".*")
	}
	found, err := filepath.Glob(pattern)
	if err != nil || len(found) == 0 {
		return ""
	}
	return slices.Max(found)
}

// public checks the public file: anybody who can change it can redirect funds.
func (d *doctor) public(i Info) {
	path := filepath.Join(d.dir, i.Ref.pubFile())
	info, err := os.Stat(path)
	if err != nil {
		return
	}
	if perm := info.Mode().Perm(); hasModes && perm&0o022 != 0 {
		d.add(Finding{
			Ref: i.Ref, Path: path, Severity: Danger,
			What: fmt.Sprintf("can be changed by other users (mode %04o), who could put their address there", perm),
			Fix:  "chmod 600 " + shellQuote(path),
			Mend: func(context.Context) error { return os.Chmod(path, secretMode) },
		})
	}
	if data, err := d.read(i.Ref.pubFile(), false); err == nil && !strings.HasPrefix(strings.TrimSpace(string(data)), "{") {
		d.add(Finding{
			Ref: i.Ref, Path: path, Severity: Warning,
			What: "is bare hex, which the official wallet cannot read and the newer SDK takes for a secret",
			Mend: func(ctx context.Context) error { return d.writePublic(ctx, i.Ref, i.Account) },
		})
	}
}

func (s *Store) writePublic(ctx context.Context, ref Ref, account tao.Account) error {
	return s.locked(ctx, func() error {
		return s.files.Write(filepath.Join(s.dir, ref.pubFile()), encodePublic(account), secretMode)
	})
}

// protection judges how the secret is kept.
func (d *doctor) protection(i Info) {
	f := Finding{Ref: i.Ref, Path: i.Path, Severity: Warning, Fix: "taoctl wallet passwd " + shellQuote(i.Ref.String())}
	switch i.Format {
	case NaCl:
		return
	case Ansible, Fernet, PolkadotJS, Agcli:
		f.What = "is in an old or foreign format (" + string(i.Format) + ")"
		if notes := formatNotes[i.Format]; len(notes) > 0 {
			f.What += ": " + notes[0]
		}
	default:
		f.What = "is not encrypted: whoever reads the file has the key and its mnemonic"
		if i.Ref.Hotkey == "" {
			f.Severity = Danger
		}
	}
	d.add(f)
}

// content looks inside, as far as that is possible.
func (d *doctor) content(ctx context.Context, i Info) {
	if i.Encrypted && d.unlocker == nil {
		return
	}
	m, err := d.unlock(ctx, i.Ref, d.unlocker)
	var wrong *WrongPassphraseError
	switch {
	case errors.As(err, &wrong):
		d.add(Finding{Ref: i.Ref, Path: i.Path, Severity: Warning, What: "did not open: the passphrase is wrong, or the file is damaged"})
		return
	case err != nil:
		i.Problem = err
		d.problem(i)
		return
	}
	m.wipe()
	if i.Format != Keyfile {
		return
	}
	data, err := d.read(i.Ref.secretFile(), true)
	if err != nil {
		return
	}
	defer wipe(data)
	var r Report
	r.describeKeyfile(data)
	for _, note := range r.Notes {
		d.add(Finding{Ref: i.Ref, Path: i.Path, Severity: Warning, What: note, Fix: "taoctl wallet passwd " + shellQuote(i.Ref.String())})
	}
}

// noPublic reports a secret without public file. One that is not encrypted can
// have it back at once.
func (d *doctor) noPublic(i Info) {
	f := Finding{
		Ref: i.Ref, Path: filepath.Join(d.dir, i.Ref.pubFile()), Severity: Warning,
		What: "is missing: without it the address is not known before unlocking",
		Fix:  "taoctl wallet passwd " + shellQuote(i.Ref.String()),
	}
	if moved := d.addressOnly(i); moved != nil {
		f.What += fmt.Sprintf("; %s has an address and no secret: if a rename to it was interrupted, taoctl wallet rename %s %s ends it",
			moved, shellQuote(i.Ref.String()), shellQuote(moved.String()))
	}
	if !i.Encrypted {
		f.Mend = func(ctx context.Context) error { return d.RestorePublic(ctx, i.Ref, nil) }
	}
	d.add(f)
}

// addressOnly finds the hotkey whose public file may be that of a secret
// without one: the only one of its wallet that has an address and no secret. It
// is nil if there is none, or no telling which.
func (d *doctor) addressOnly(i Info) (found *Ref) {
	if i.Ref.Hotkey == "" {
		return nil
	}
	for _, name := range d.hotkeyNames(i.Ref.Wallet) {
		other := d.describe(Ref{Wallet: i.Ref.Wallet, Hotkey: name})
		if !other.Known || other.Secret || i.Known && i.Account != other.Account {
			continue
		}
		if found != nil {
			return nil
		}
		found = &other.Ref
	}
	return found
}

// RestorePublic writes a key's public file anew from its secret, if it is
// missing or unreadable. One that names another account is a *MismatchError.
func (s *Store) RestorePublic(ctx context.Context, ref Ref, u *Unlocker) error {
	if err := ref.check(); err != nil {
		return err
	}
	if _, known, err := s.readPublic(ref); known && err == nil {
		k, err := s.Unlock(ctx, ref, u)
		if err == nil {
			k.Wipe()
		}
		return err
	}
	path := filepath.Join(s.dir, ref.secretFile())
	data, err := s.read(ref.secretFile(), true)
	if err != nil {
		return err
	}
	defer wipe(data)
	m, err := openMaterial(ctx, ref.what(), path, Detect(data), data, u)
	if err != nil {
		return err
	}
	defer m.wipe()
	return s.writePublic(ctx, ref, m.account)
}

// confirmedFile lists the accounts of a wallet whose mnemonic its owner has
// shown to have written down, one address a line.
const confirmedFile = ".taoctl-confirmed"

// ConfirmBackup notes that an account's mnemonic is written down: its owner
// typed it, at import or when asked.
func (s *Store) ConfirmBackup(ctx context.Context, ref Ref, account tao.Account) error {
	if err := ref.check(); err != nil {
		return err
	}
	return s.locked(ctx, func() error {
		if s.BackupConfirmed(ref, account) {
			return nil
		}
		rel := filepath.Join(ref.Wallet, confirmedFile)
		list, err := s.read(rel, false)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return s.files.Write(filepath.Join(s.dir, rel), append(list, account.String()+"\n"...), secretMode)
	})
}

// BackupConfirmed reports what ConfirmBackup noted.
func (s *Store) BackupConfirmed(ref Ref, account tao.Account) bool {
	list, err := s.read(filepath.Join(ref.Wallet, confirmedFile), false)
	return err == nil && slices.Contains(strings.Fields(string(list)), account.String())
}
