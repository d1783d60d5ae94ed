package keystore_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/keystore/keystoretest"
	"github.com/taoctl/taoctl/tao"
)

var plain = keystore.SaveOptions{Plain: true}

func TestWallets(t *testing.T) {
	keystoretest.WeakKDF(t)
	s := newStore(t)
	if got, err := s.Wallets(); err != nil || got != nil {
		t.Fatalf("a store that does not exist: %v %v", got, err)
	}
	cold, hot, watched := newKey(t), newKey(t), newKey(t).Account()
	save(t, s, keystore.Ref{Wallet: "b"}, cold, encrypted())
	save(t, s, keystore.Ref{Wallet: "b", Hotkey: "a"}, hot, plain)
	save(t, s, keystore.Ref{Wallet: "b", Hotkey: "a-b"}, hot, encrypted())
	if _, err := s.Watch(t.Context(), keystore.Ref{Wallet: "a"}, watched, false); err != nil {
		t.Fatal(err)
	}
	// What other tools and desktops leave behind is no key.
	hotkeys := filepath.Join(s.Dir(), "b", "hotkeys")
	for _, name := range []string{".DS_Store", "a.lock", "a.tmp", ".a.0123456789ab.tmp"} {
		if err := os.WriteFile(filepath.Join(hotkeys, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(s.Dir(), "empty"), 0o700), os.Mkdir(filepath.Join(hotkeys, "folder"), 0o700)); err != nil {
		t.Fatal(err)
	}
	got, err := s.Wallets()
	if err != nil {
		t.Fatal(err)
	}
	path := func(parts ...string) string { return filepath.Join(append([]string{s.Dir()}, parts...)...) }
	want := []keystore.Wallet{
		{Name: "a", Coldkey: keystore.Info{Ref: keystore.Ref{Wallet: "a"}, Account: watched, Known: true, Path: path("a", "coldkeypub.txt")}},
		{
			Name:    "b",
			Coldkey: keystore.Info{Ref: keystore.Ref{Wallet: "b"}, Account: cold.Account(), Known: true, Secret: true, Format: keystore.NaCl, Encrypted: true, Path: path("b", "coldkey")},
			Hotkeys: []keystore.Info{
				{Ref: keystore.Ref{Wallet: "b", Hotkey: "a"}, Account: hot.Account(), Known: true, Secret: true, Format: keystore.Keyfile, Path: path("b", "hotkeys", "a")},
				{Ref: keystore.Ref{Wallet: "b", Hotkey: "a-b"}, Account: hot.Account(), Known: true, Secret: true, Format: keystore.NaCl, Encrypted: true, Path: path("b", "hotkeys", "a-b")},
			},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := s.Wallet("none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such wallet: %v", err)
	}
	if _, err := s.Wallet("../x"); err == nil {
		t.Error("a name that leaves the store")
	}
}

// TestOfficialTree reads a wallet folder in the layout of the official tools,
// made by other software.
func TestOfficialTree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "wallets")
	if err := os.CopyFS(dir, os.DirFS("testdata/files/wallets")); err != nil {
		t.Fatal(err)
	}
	s := keystore.Open(dir, keystore.AllowLooseModes()) // a checkout does not keep mode 0600
	w, err := s.Wallet("ours")
	if err != nil {
		t.Fatal(err)
	}
	const cold, hot = "5FujPuivWdaLeiLPy5F14GcaTaFCdBjW7hGfED5qYEwXAPuS", "5CyQQaycR4B7iqfFrNSzJH54iLp66eYBoGu2dVF7VBHNV2dE"
	if w.Coldkey.Account.String() != cold || !w.Coldkey.Encrypted || w.Coldkey.Problem != nil {
		t.Errorf("coldkey %+v", w.Coldkey)
	}
	secret := map[string]bool{"default": true, "locked": true, "watch": false}
	if len(w.Hotkeys) != len(secret) {
		t.Errorf("%d hotkeys", len(w.Hotkeys))
	}
	for _, h := range w.Hotkeys {
		if h.Account.String() != hot || h.Secret != secret[h.Ref.Hotkey] || h.Encrypted != (h.Ref.Hotkey == "locked") || h.Problem != nil {
			t.Errorf("hotkey %+v", h)
		}
	}
	k, err := s.Unlock(t.Context(), keystore.Ref{Wallet: "ours", Hotkey: "default"}, nil)
	if err != nil || k.Account().String() != hot {
		t.Errorf("%v %v", k, err)
	}
	if testing.Short() {
		t.Skip("the rest derives at full cost")
	}
	u := unlocker(t, "testing123!")
	for _, ref := range []keystore.Ref{{Wallet: "ours"}, {Wallet: "ours", Hotkey: "locked"}} { // one derivation
		k, err := s.Unlock(t.Context(), ref, u)
		if err != nil || k.Account().String() != map[string]string{"": cold, "locked": hot}[ref.Hotkey] {
			t.Errorf("%v: %v %v", ref, k, err)
		}
	}
}

func TestPublicFileIsChecked(t *testing.T) {
	keystoretest.WeakKDF(t)
	s := newStore(t)
	thief := newKey(t).Account()
	for _, o := range []keystore.SaveOptions{plain, encrypted()} {
		o.Replace = true
		saved := save(t, s, alice, newKey(t), o)
		pub := saved.Path + "pub.txt"
		text, err := os.ReadFile(pub)
		if err != nil {
			t.Fatal(err)
		}
		swapped := strings.ReplaceAll(string(text), saved.Account.String(), thief.String())
		for name, content := range map[string]string{
			"whole": `{"ss58Address":"` + thief.String() + `"}`,
			"half":  swapped, // accountId and publicKey still name the owner
			"hex":   strings.Repeat("ab", 32),
		} {
			if err := os.WriteFile(pub, []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
			var mismatch *keystore.MismatchError
			if _, err := s.Unlock(t.Context(), alice, unlocker(t, pass)); !errors.As(err, &mismatch) {
				t.Errorf("%s: %v", name, err)
			}
			if err := s.RestorePublic(t.Context(), alice, unlocker(t, pass)); name != "half" && !errors.As(err, &mismatch) {
				t.Errorf("%s: restored over a contradiction: %v", name, err)
			}
		}
		if err := os.Remove(pub); err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
		if err := s.RestorePublic(t.Context(), alice, unlocker(t, pass)); err != nil {
			t.Error(err)
		}
		if got, err := s.Account(alice); err != nil || got != saved.Account {
			t.Errorf("restored %v %v", got, err)
		}
	}
}

func TestWatch(t *testing.T) {
	keystoretest.WeakKDF(t)
	s := newStore(t)
	k, other := newKey(t), newKey(t)
	if _, err := s.Watch(t.Context(), alice, k.Account(), false); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Watch(t.Context(), alice, k.Account(), false); err != nil {
		t.Errorf("the same again: %v", err)
	}
	var taken *keystore.ExistsError
	if _, err := s.Watch(t.Context(), alice, other.Account(), false); !errors.As(err, &taken) {
		t.Errorf("another account: %v", err)
	}
	if _, err := s.Save(t.Context(), alice, other, nil, encrypted()); !errors.As(err, &taken) {
		t.Errorf("another secret: %v", err)
	}
	if _, err := s.Unlock(t.Context(), alice, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("unlocking: %v", err)
	}
	if saved, err := s.Save(t.Context(), alice, k, nil, encrypted()); err != nil || saved.Backup != "" {
		t.Errorf("its own secret: %+v %v", saved, err)
	}
	if _, err := s.Watch(t.Context(), alice, k.Account(), true); !errors.As(err, &taken) {
		t.Errorf("over a secret: %v", err)
	}
}

func TestPasswd(t *testing.T) {
	keystoretest.WeakKDF(t)
	s := newStore(t)
	k := newKey(t)
	saved := save(t, s, alice, k, encrypted())
	changed, err := s.Passwd(t.Context(), alice, unlocker(t, pass), keystore.SaveOptions{Passphrase: []byte("new one")})
	if err != nil || changed.Backup != "" || changed.Account != k.Account() {
		t.Fatalf("%+v %v", changed, err)
	}
	var wrong *keystore.WrongPassphraseError
	if _, err := s.Unlock(t.Context(), alice, unlocker(t, pass)); !errors.As(err, &wrong) {
		t.Errorf("the old passphrase: %v", err)
	}
	again, err := s.Unlock(t.Context(), alice, unlocker(t, "new one"))
	if err != nil {
		t.Fatal(err)
	}
	sameSecret(t, again, k)

	before, err := os.ReadFile(saved.Path)
	if err != nil {
		t.Fatal(err)
	}
	for name, f := range map[string]func() error{
		"wrong passphrase": func() error {
			_, err := s.Passwd(t.Context(), alice, unlocker(t, pass), encrypted())
			return err
		},
		"empty new passphrase": func() error {
			_, err := s.Passwd(t.Context(), alice, unlocker(t, "new one"), keystore.SaveOptions{})
			return err
		},
		"absent": func() error { _, err := s.Passwd(t.Context(), miner, unlocker(t, "x"), encrypted()); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: done", name)
		}
	}
	if after, err := os.ReadFile(saved.Path); err != nil || string(after) != string(before) {
		t.Error("a refused change touched the file")
	}

	kept, err := s.Passwd(t.Context(), alice, unlocker(t, "new one"), keystore.SaveOptions{Passphrase: []byte(pass), KeepOld: true})
	if err != nil {
		t.Fatal(err)
	}
	if backup, err := os.ReadFile(kept.Backup); err != nil || string(backup) != string(before) {
		t.Errorf("backup: %v", err)
	}
}

func sameSecret(t *testing.T, a, b *keystore.Key) {
	t.Helper()
	err := a.Reveal(func(x keystore.Secrets) error {
		return b.Reveal(func(y keystore.Secrets) error {
			if !reflect.DeepEqual(x, y) {
				t.Error("the secrets differ")
			}
			return nil
		})
	})
	if err != nil {
		t.Error(err)
	}
}

// TestPasswdRescuesOldFormats brings every old format to the current one.
func TestPasswdRescuesOldFormats(t *testing.T) {
	for name, password := range map[string]string{"ansible_std": "ansible_password", "ansible_rust": "ansible_password", "fernet_std": "fakepasssword238947239"} {
		t.Run(name, func(t *testing.T) {
			if testing.Short() && name == "fernet_std" {
				t.Skip("derives at full cost")
			}
			s := newStore(t)
			old, err := os.ReadFile(filepath.Join("testdata", "files", name+".keyfile"))
			if err != nil {
				t.Fatal(err)
			}
			dir := filepath.Join(s.Dir(), "alice")
			if err := errors.Join(os.MkdirAll(dir, 0o700), os.WriteFile(filepath.Join(dir, "coldkey"), old, 0o600)); err != nil {
				t.Fatal(err)
			}
			saved, err := s.Passwd(t.Context(), alice, unlocker(t, password), keystore.SaveOptions{Plain: true, KeepOld: true})
			if err != nil {
				t.Fatal(err)
			}
			i, err := s.Info(alice)
			if err != nil || i.Format != keystore.Keyfile || i.Account.String() != "5FujPuivWdaLeiLPy5F14GcaTaFCdBjW7hGfED5qYEwXAPuS" {
				t.Errorf("%+v %v", i, err)
			}
			if kept, err := os.ReadFile(saved.Backup); err != nil || string(kept) != string(old) {
				t.Errorf("backup: %v", err)
			}
		})
	}
}

func TestRenameAndRemove(t *testing.T) {
	s := newStore(t)
	cold, hot := newKey(t), newKey(t)
	save(t, s, alice, cold, plain)
	save(t, s, miner, hot, plain)
	bob, bobMiner := keystore.Ref{Wallet: "bob"}, keystore.Ref{Wallet: "bob", Hotkey: "worker"}

	if err := s.Rename(t.Context(), miner, bobMiner); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Account(bobMiner); err != nil || got != hot.Account() {
		t.Errorf("hotkey: %v %v", got, err)
	}
	var taken *keystore.ExistsError
	if err := s.Rename(t.Context(), alice, bob); !errors.As(err, &taken) {
		t.Errorf("onto a wallet: %v", err)
	}
	save(t, s, miner, newKey(t), plain)
	if err := s.Rename(t.Context(), bobMiner, miner); !errors.As(err, &taken) {
		t.Errorf("onto a hotkey: %v", err)
	}
	if err := s.Rename(t.Context(), alice, keystore.Ref{Wallet: "carol", Hotkey: "x"}); err == nil {
		t.Error("a wallet became a hotkey")
	}
	if err := s.Rename(t.Context(), keystore.Ref{Wallet: "none"}, keystore.Ref{Wallet: "x"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
	if err := s.Rename(t.Context(), alice, keystore.Ref{Wallet: "carol"}); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Account(keystore.Ref{Wallet: "carol"}); err != nil || got != cold.Account() {
		t.Errorf("wallet: %v %v", got, err)
	}

	if err := s.Remove(t.Context(), keystore.Ref{Wallet: "carol", Hotkey: "miner"}); err != nil {
		t.Error(err)
	}
	if err := s.Remove(t.Context(), keystore.Ref{Wallet: "carol", Hotkey: "miner"}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("twice: %v", err)
	}
	notes := filepath.Join(s.Dir(), "bob", "notes.txt")
	if err := os.WriteFile(notes, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	aside := filepath.Join(t.TempDir(), "aside")
	if err := errors.Join(s.MoveAside(t.Context(), "carol", aside), s.Remove(t.Context(), bob)); err != nil {
		t.Error(err)
	}
	if got, err := s.Wallets(); err != nil || got != nil {
		t.Errorf("left: %v %v", got, err)
	}
	if _, err := os.Stat(notes); err != nil {
		t.Errorf("a file that is no key was removed: %v", err)
	}
	if _, err := os.Stat(filepath.Join(aside, "coldkey")); err != nil {
		t.Errorf("moved aside: %v", err)
	}
}

func TestLockBetweenProcesses(t *testing.T) {
	s := newStore(t)
	save(t, s, alice, newKey(t), plain)
	other := flock.New(filepath.Join(s.Dir(), ".taoctl.lock"))
	if err := other.Lock(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := s.Save(ctx, miner, newKey(t), nil, plain); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while another process holds the lock: %v", err)
	}
	if _, err := s.Unlock(t.Context(), alice, nil); err != nil {
		t.Errorf("reading waits for nobody: %v", err)
	}
	if err := other.Unlock(); err != nil {
		t.Fatal(err)
	}
	save(t, s, miner, newKey(t), plain)
}

// TestExamine plants faults, one of each kind, finds them, mends what can be
// mended and finds nothing more of it.
func TestExamine(t *testing.T) {
	keystoretest.WeakKDF(t)
	type fault struct {
		name     string
		plant    func(s *keystore.Store, path string) error // path is a good, encrypted, confirmed coldkey's
		severity keystore.Severity
		what     string
		mends    bool
	}
	write := func(data string) func(*keystore.Store, string) error {
		return func(_ *keystore.Store, path string) error { return os.WriteFile(path, []byte(data), 0o600) }
	}
	vault, err := os.ReadFile("testdata/files/ansible_std.keyfile")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range []fault{
		{"nothing", func(*keystore.Store, string) error { return nil }, "", "", false},
		{"open secret", func(_ *keystore.Store, p string) error { return os.Chmod(p, 0o644) }, keystore.Danger, "open to other users (mode 0644)", true},
		{"unreadable half", write("$NACLxx"), keystore.Danger, "cut short", false},
		{"empty", write(""), keystore.Danger, "JSON object", false},
		{"public file writable", func(_ *keystore.Store, p string) error { return os.Chmod(p+"pub.txt", 0o666) }, keystore.Danger, "can be changed by other users", true},
		{"public file missing", func(_ *keystore.Store, p string) error { return os.Remove(p + "pub.txt") }, keystore.Warning, "is missing", false},
		{"folder writable", func(_ *keystore.Store, p string) error { return os.Chmod(filepath.Dir(p), 0o777) }, keystore.Danger, "put files into it", true},
		{"folder listable", func(_ *keystore.Store, p string) error { return os.Chmod(filepath.Dir(p), 0o755) }, keystore.Note, "list it", true},
		{"leftover", func(_ *keystore.Store, p string) error {
			return os.WriteFile(filepath.Join(filepath.Dir(p), ".coldkey.0123456789ab.tmp"), nil, 0o600)
		}, keystore.Warning, "interrupted write", true},
		{"leftover of another tool", func(_ *keystore.Store, p string) error { return os.WriteFile(p+".tmp", nil, 0o600) }, keystore.Warning, "interrupted write", true},
		{"only copy", func(_ *keystore.Store, p string) error {
			return os.Rename(p, filepath.Join(filepath.Dir(p), ".coldkey.0123456789ab.tmp"))
		}, keystore.Danger, "only copy", false},
		{"old format", write(string(vault)), keystore.Warning, "old or foreign format (ansible-vault)", false},
		{"old hotkey public file", func(_ *keystore.Store, p string) error {
			return os.WriteFile(filepath.Join(filepath.Dir(p), "hotkeypub.txt"), []byte("{}"), 0o600)
		}, keystore.Note, "3.1.0", false},
		{"folder in its place", func(_ *keystore.Store, p string) error { return errors.Join(os.Remove(p), os.Mkdir(p, 0o700)) }, keystore.Danger, "is a folder", false},
		{"bare hex public file", func(s *keystore.Store, p string) error {
			a, err := s.Account(alice)
			return errors.Join(err, os.WriteFile(p+"pub.txt", hexOf(a), 0o600))
		}, keystore.Warning, "bare hex", true},
		{"plain coldkey", func(s *keystore.Store, _ string) error {
			_, err := s.Passwd(context.Background(), alice, unlocker(t, pass), plain)
			return err
		}, keystore.Danger, "not encrypted", false},
		{"another public file", func(s *keystore.Store, p string) error {
			return errors.Join(os.WriteFile(p+"pub.txt", []byte(`{"ss58Address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"}`), 0o600),
				s.ConfirmBackup(context.Background(), alice, devAccount(t)))
		}, keystore.Danger, "disagree", false},
	} {
		t.Run(f.name, func(t *testing.T) {
			s := newStore(t)
			saved := save(t, s, alice, newKey(t), encrypted())
			if err := s.ConfirmBackup(t.Context(), alice, saved.Account); err != nil {
				t.Fatal(err)
			}
			if err := f.plant(s, saved.Path); err != nil {
				t.Fatal(err)
			}
			found := examine(t, s)
			if f.severity == "" {
				if len(found) > 0 {
					t.Errorf("a good wallet: %+v", found)
				}
				return
			}
			i := slices.IndexFunc(found, func(x keystore.Finding) bool { return strings.Contains(x.What, f.what) })
			if i < 0 {
				t.Fatalf("not found among %+v", found)
			}
			if found[i].Severity != f.severity || found[i].Path == "" {
				t.Errorf("%+v", found[i])
			}
			if (found[i].Mend != nil) != f.mends {
				t.Fatalf("mendable=%v", !f.mends)
			}
			if !f.mends {
				return
			}
			if err := found[i].Mend(t.Context()); err != nil {
				t.Fatal(err)
			}
			if left := examine(t, s); len(left) > 0 {
				t.Errorf("after mending: %+v", left)
			}
			if _, err := s.Unlock(t.Context(), alice, unlocker(t, pass)); err != nil {
				t.Errorf("after mending: %v", err)
			}
		})
	}
}

func examine(t *testing.T, s *keystore.Store) []keystore.Finding {
	t.Helper()
	found, err := s.Examine(t.Context(), unlocker(t, pass))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := json.Marshal(found); err != nil {
		t.Error(err)
	}
	return found
}

func devAccount(t *testing.T) tao.Account {
	t.Helper()
	k, err := keystore.DevKey("//Alice", tao.Sr25519)
	if err != nil {
		t.Fatal(err)
	}
	return k.Account()
}

func hexOf(a tao.Account) []byte { return []byte(tao.Hash(a).String()[2:]) }

func TestExamineConfirmation(t *testing.T) {
	s := newStore(t)
	saved := save(t, s, miner, newKey(t), plain)
	has := func() bool {
		return slices.ContainsFunc(examine(t, s), func(f keystore.Finding) bool { return strings.Contains(f.What, "written down") })
	}
	if !has() {
		t.Error("an unconfirmed key passes")
	}
	for range 2 {
		if err := s.ConfirmBackup(t.Context(), miner, saved.Account); err != nil {
			t.Fatal(err)
		}
	}
	if has() {
		t.Error("a confirmed key does not pass")
	}
}

func TestInspect(t *testing.T) {
	keystoretest.WeakKDF(t)
	s := newStore(t)
	k := newKey(t)
	saved := save(t, s, alice, k, encrypted())
	opens, fails := true, false

	r, err := keystore.InspectFile(t.Context(), saved.Path, nil)
	if err != nil || r.Format != keystore.NaCl || !r.Encrypted || r.Opens != nil || r.Account == nil || *r.Account != k.Account() {
		t.Errorf("locked: %+v %v", r, err)
	}
	r, err = keystore.InspectFile(t.Context(), saved.Path, unlocker(t, pass))
	if err != nil || !reflect.DeepEqual(r.Opens, &opens) || r.Scheme != "sr25519" || !slices.Contains(r.Holds, "mnemonic") || r.Problem != nil {
		t.Errorf("opened: %+v %v", r, err)
	}
	r, err = keystore.InspectFile(t.Context(), saved.Path, unlocker(t, "wrong"))
	if err != nil || !reflect.DeepEqual(r.Opens, &fails) || r.Problem == nil {
		t.Errorf("wrong passphrase: %+v %v", r, err)
	}
	r, err = keystore.InspectFile(t.Context(), saved.Path+"pub.txt", nil)
	if err != nil || r.Encrypted || *r.Account != k.Account() || !slices.Equal(r.Holds, []string{"address"}) {
		t.Errorf("public: %+v %v", r, err)
	}
	for text, want := range map[string]keystore.Format{
		leakPhrase:                      keystore.Mnemonic12,
		leakPhrase + "//x":              keystore.SecretURI,
		"0x" + strings.Repeat("01", 32): keystore.HexSecret,
		`{"secretSeed":"0x` + strings.Repeat("01", 32) + `"}`: keystore.Keyfile,
		"hello": keystore.Unknown, "": keystore.Unknown, "{": keystore.Unknown,
	} {
		r := keystore.Inspect(t.Context(), "text", []byte(text), "", nil)
		if r.Format != want || (r.Problem != nil) != (want == keystore.Unknown) || (r.Account != nil) == (want == keystore.Unknown) {
			t.Errorf("%.12q: %+v", text, r)
		}
	}
	if _, err := keystore.InspectFile(t.Context(), s.Dir(), nil); err == nil {
		t.Error("a folder was inspected")
	}
	if _, err := keystore.InspectFile(t.Context(), filepath.Join(s.Dir(), "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent: %v", err)
	}
}
