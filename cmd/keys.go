package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// noKeyError says that no wallet here holds the key of an account.
type noKeyError struct {
	Account tao.Account
	Wallet  string
}

func (e *noKeyError) Error() string {
	return fmt.Sprintf("no key of %s in wallet %s", e.Account, e.Wallet)
}

// walletAddresses is a wallet by its public files.
type walletAddresses struct {
	name    string
	Coldkey tao.Account
	hotkeys []keystore.Info
}

// wallet reads a wallet's public files. No secret is opened.
func (a *app) wallet(name string) (walletAddresses, error) {
	store, err := a.store()
	if err != nil {
		return walletAddresses{}, err
	}
	w, err := store.Wallet(name)
	if err != nil {
		return walletAddresses{}, err
	}
	if w.Coldkey.Problem != nil {
		return walletAddresses{}, w.Coldkey.Problem
	}
	account, err := store.Account(w.Coldkey.Ref)
	return walletAddresses{name: name, Coldkey: account, hotkeys: w.Hotkeys}, err
}

// chosenWallet is the wallet of the settings. Where they name none and there is
// no "default", a person at the terminal picks one, once.
func (a *app) chosenWallet(ctx context.Context) (walletAddresses, error) {
	w, err := a.wallet(a.walletName())
	if !is[*keystore.NotFoundError](err) || a.settings.or(a.settings.wallet, envWallet, "") != "" {
		return w, err
	}
	names := a.walletNames()
	t, noTerminal := a.terminal()
	if noTerminal != nil || len(names) == 0 || a.change.yes {
		return w, err
	}
	at, err := t.Choose(ctx, "Which wallet", names)
	if err != nil {
		return w, asInterrupted(err)
	}
	a.settings.wallet = names[at]
	return a.wallet(names[at])
}

func (a *app) walletNames() (names []string) {
	store, err := a.store()
	if err != nil {
		return nil
	}
	wallets, err := store.Wallets()
	if err != nil {
		return nil
	}
	for _, w := range wallets {
		names = append(names, w.Name)
	}
	return names
}

// hotkey is the account of the chosen hotkey: a name in the wallet,
// WALLET/HOTKEY, or an address.
func (a *app) hotkey(w walletAddresses) (tao.Account, error) {
	name := a.hotkeyName()
	if looksLikeAddress(name) {
		return tao.ParseAccount(name)
	}
	ref := keystore.Ref{Wallet: w.name, Hotkey: name}
	if strings.Contains(name, "/") {
		var err error
		if ref, err = keystore.ParseRef(name); err != nil {
			return tao.Account{}, err
		}
	}
	store, err := a.store()
	if err != nil {
		return tao.Account{}, err
	}
	return store.Account(ref)
}

// unlock makes an account, which must be in the chosen wallet, able to sign: by
// the agent, if it holds the key, or by opening the key. The caller wipes it.
func (a *app) unlock(ctx context.Context, account tao.Account) (signer, error) {
	ref, err := a.refOf(account)
	if err != nil {
		return nil, err
	}
	if s, err := a.agentSigner(ctx, account); s != nil || err != nil {
		return s, err
	}
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	unlocker := a.unlocker(ctx, store.Path(ref))
	defer unlocker.Wipe()
	key, err := store.Unlock(ctx, ref, unlocker)
	if err != nil {
		return nil, err
	}
	if key.Account() != account {
		key.Wipe()
		return nil, fmt.Errorf("the key of %s is that of %s, not of %s: its public file is wrong", ref, key.Account(), account)
	}
	return key, nil
}

// refOf finds which key of the wallet an account is.
func (a *app) refOf(account tao.Account) (keystore.Ref, error) {
	w, err := a.wallet(a.walletName())
	if err != nil {
		return keystore.Ref{}, err
	}
	if w.Coldkey == account {
		return keystore.Ref{Wallet: w.name}, nil
	}
	for _, h := range w.hotkeys {
		if h.Known && h.Account == account {
			return h.Ref, nil
		}
	}
	return keystore.Ref{}, &noKeyError{Account: account, Wallet: w.name}
}

// unlocker opens files with passwords from where the settings say, and shows
// that deriving a key takes seconds.
func (a *app) unlocker(ctx context.Context, path string) *keystore.Unlocker {
	return keystore.NewUnlocker(a.passphrase(ctx, path)).OnWork(a.openingKey)
}

func (a *app) openingKey(keystore.Format) func() { return a.busy("opening the key").Stop }

// passphrase finds the password of a key file: --password-file,
// --password-command, the system's keyring where that was asked for, btcli's
// BT_PW_ variable for that file, or the person.
func (a *app) passphrase(ctx context.Context, path string) keystore.Passphrase {
	return func(what string) ([]byte, error) {
		if secret, given, err := a.givenPassword(ctx, path); given || err != nil {
			return secret, err
		}
		t, err := a.terminal()
		if err != nil {
			return nil, keystore.ErrNoPassphrase
		}
		secret, err := t.Secret(ctx, "Password of "+what)
		if errors.Is(err, term.ErrInterrupted) {
			return nil, errInterrupted
		}
		return secret, err
	}
}

// givenPassword is the password that was prepared for unattended use.
func (a *app) givenPassword(ctx context.Context, path string) (secret []byte, given bool, err error) {
	s := &a.settings
	file := s.or(s.passwordFile, envPasswordFile, "")
	switch {
	case s.passwordFile != "" && s.passwordCommand != "", s.passwordKeyring && s.passwordFile+s.passwordCommand != "":
		return nil, true, usagef("--password-file, --password-command and --password-keyring exclude each other")
	case s.passwordKeyring:
		secret, err = a.keyringPassword(ctx, path)
		return secret, true, err
	case s.passwordCommand != "":
		secret, err = commandPassword(ctx, s.passwordCommand)
		return secret, true, err
	case file != "":
		secret, err = filePassword(file)
		return secret, true, err
	case a.env.Getenv(envPasswordKeyring) == "1":
		secret, err = a.keyringPassword(ctx, path)
		if !is[*keyringEmptyError](err) { // which is where the next source is asked
			return secret, true, err
		}
	}
	name := passwordVariable(path)
	if value := a.env.Getenv(name); value != "" {
		secret, err = keystore.RevealPassword(name, value)
		return secret, true, err
	}
	return nil, false, nil
}

// passwordVariable is btcli's variable for the password of a key file.
func passwordVariable(path string) string {
	absolute, err := filepath.Abs(path)
	if err != nil {
		absolute = path // the working folder is gone; the name then fits nothing
	}
	return keystore.PasswordVariable(absolute)
}

// maxPassword bounds a password, in bytes.
const maxPassword = 4096

// passwordError says that a prepared password could not be had.
type passwordError struct {
	Source string // "password file PATH", "password command NAME"; never the password
	Err    error
}

func (e *passwordError) Error() string { return e.Source + ": " + e.Err.Error() }
func (e *passwordError) Unwrap() error { return e.Err }

// filePassword reads the first line of a file. A file that others can read is
// refused: a password in it is no secret.
func filePassword(path string) ([]byte, error) {
	source := "password file " + path
	f, err := os.Open(path)
	if err != nil {
		return nil, &passwordError{Source: source, Err: reason(err)}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, &passwordError{Source: source, Err: reason(err)}
	}
	if info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, &passwordError{Source: source, Err: fmt.Errorf("others can read it: run chmod 600 %s", path)}
	}
	secret, _, err := firstLine(f, source)
	return secret, err
}

// reason is what went wrong with a file, without its path.
func reason(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// commandPassword runs a command and takes the first line of its output. The
// command is split at white space; there is no shell.
func commandPassword(ctx context.Context, command string) ([]byte, error) {
	words := strings.Fields(command)
	if len(words) == 0 {
		return nil, usagef("--password-command is empty")
	}
	source := "password command " + filepath.Base(words[0])
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	c := exec.CommandContext(ctx, words[0], words[1:]...)
	c.Stderr = os.Stderr
	c.Env = withoutSecrets(os.Environ())
	c.WaitDelay = time.Second // for a child of its own that keeps the pipe open
	out, err := c.StdoutPipe()
	if err != nil {
		return nil, &passwordError{Source: source, Err: err}
	}
	if err := c.Start(); err != nil {
		return nil, &passwordError{Source: source, Err: reason(err)}
	}
	secret, ended, err := firstLine(out, source)
	if !ended { // it goes on, perhaps without end, and its status tells nothing
		kill()
		_ = c.Wait()
		return secret, err
	}
	if failed := c.Wait(); failed != nil {
		clear(secret)
		return nil, &passwordError{Source: source, Err: failed}
	}
	return secret, err
}

// withoutSecrets drops the variables that hold passwords: a child has no use
// for them, and its own children would inherit them.
func withoutSecrets(environ []string) []string {
	return slices.DeleteFunc(environ, func(v string) bool {
		return strings.HasPrefix(v, "BT_PW_") || strings.HasPrefix(v, "BT_COLD_PW_") || strings.HasPrefix(v, "BT_WALLET_PASSWORD=")
	})
}

// firstLine reads not much more than the longest password and leaves no copy
// but what it returns. It says whether that was all there is to read.
func firstLine(r io.Reader, source string) (line []byte, ended bool, err error) {
	buffer := make([]byte, maxPassword+2) // with a line end
	defer clear(buffer)
	n, err := readFirst(r, buffer)
	if err != nil {
		return nil, false, &passwordError{Source: source, Err: err}
	}
	ended = n < len(buffer)
	first, _, _ := bytes.Cut(buffer[:n], []byte("\n"))
	first = bytes.TrimSuffix(first, []byte("\r"))
	switch {
	case len(first) == 0:
		return nil, ended, &passwordError{Source: source, Err: errors.New("its first line is empty")}
	case len(first) > maxPassword:
		return nil, ended, &passwordError{Source: source, Err: fmt.Errorf("its first line is longer than %d bytes", maxPassword)}
	}
	return bytes.Clone(first), ended, nil
}
