package cmd

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/keystore"
	"github.com/zalando/go-keyring"
)

const (
	// keyringService and the absolute path of a key file name a password.
	keyringService = "taoctl"

	// sdkService and the name of a wallet are under what the official SDK keeps
	// a coldkey's password in the macOS keychain (bittensor-wallet). It is
	// read, and never written.
	sdkService = "bittensor.coldkey"

	// keyringPatience bounds a keyring that waits for a person to unlock it.
	keyringPatience = 2 * time.Minute
)

// keyringError says that there is no keyring, or that it does not work.
type keyringError struct{ cause error }

func (e *keyringError) Error() string { return "the system's keyring: " + e.cause.Error() }
func (e *keyringError) Unwrap() error { return e.cause }

// keyringEmptyError says that the keyring holds no password of a file.
type keyringEmptyError struct{ Path string }

func (e *keyringEmptyError) Error() string {
	return "the system's keyring holds no password of " + e.Path
}

// keyringPassword is the password of a key file from the keyring.
func (a *app) keyringPassword(ctx context.Context, path string) ([]byte, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, &keyringError{err}
	}
	secret, err := a.askKeyring(ctx, func() (string, error) { return keyring.Get(keyringService, path) })
	if errors.Is(err, keyring.ErrNotFound) && runtime.GOOS == "darwin" && filepath.Base(path) == "coldkey" {
		wallet := filepath.Base(filepath.Dir(path))
		secret, err = a.askKeyring(ctx, func() (string, error) { return keyring.Get(sdkService, wallet) })
	}
	if errors.Is(err, keyring.ErrNotFound) {
		return nil, &keyringEmptyError{path}
	}
	return secret, err
}

// askKeyring runs a request that cannot be stopped, and waits until it is
// answered, ctx ends, or patience does.
func (a *app) askKeyring(ctx context.Context, ask func() (string, error)) ([]byte, error) {
	if err := a.findKeyring(); err != nil {
		return nil, &keyringError{err}
	}
	ctx, stop := context.WithTimeout(ctx, keyringPatience)
	defer stop()
	type reply struct {
		secret string
		err    error
	}
	replies := make(chan reply, 1)
	go func() {
		secret, err := ask()
		replies <- reply{secret, err}
	}()
	select {
	case r := <-replies:
		if r.err != nil {
			return nil, &keyringError{r.err}
		}
		return []byte(r.secret), nil
	case <-ctx.Done():
		if errors.Is(ctx.Err(), context.Canceled) {
			return nil, errInterrupted
		}
		return nil, &keyringError{fmt.Errorf("no answer within %v: it may be waiting for somebody to unlock it", keyringPatience)}
	}
}

// findKeyring says at once where there can be none: on systems with a Secret
// Service, without a session bus. The library would start one instead, as a
// child with our environment, and nobody would answer on it.
func (a *app) findKeyring() error {
	if runtime.GOOS == "darwin" || runtime.GOOS == "windows" || a.env.Getenv("DBUS_SESSION_BUS_ADDRESS") != "" {
		return nil
	}
	if _, err := os.Stat("/run/user/" + strconv.Itoa(os.Getuid()) + "/bus"); err == nil {
		return nil
	}
	return errors.New("there is none here: no session bus (DBUS_SESSION_BUS_ADDRESS), as on a machine without a desktop")
}

func (a *app) walletKeyringCommand() *cobra.Command {
	return group("keyring", "Keep passwords in the system's keyring", a.keyringStoreCommand(), a.keyringForgetCommand())
}

func (a *app) keyringStoreCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "store NAME[/HOTKEY]",
		Short: "Store the password of a key in the system's keyring",
		Long: `Ask for the password of a key, prove that it opens the key, and store it in the
keyring of the system: the Secret Service on Linux, the keychain on macOS, the
credential manager on Windows. --password-keyring takes it from there.

Programs that you run can read it while you are logged in.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		return a.storePassword(c.Context(), args[0])
	})
}

func (a *app) storePassword(ctx context.Context, name string) (any, error) {
	ref, store, err := a.refAndStore(name)
	if err != nil {
		return nil, err
	}
	if err := a.findKeyring(); err != nil {
		return nil, &keyringError{err}
	}
	path, err := filepath.Abs(store.Path(ref))
	if err != nil {
		return nil, err
	}
	var password []byte
	defer func() { clear(password) }()
	unlocker := keystore.NewUnlocker(func(what string) ([]byte, error) {
		secret, err := a.passphrase(ctx, path)(what)
		password = bytes.Clone(secret) // the unlocker wipes its own
		return secret, err
	}).OnWork(a.openingKey)
	defer unlocker.Wipe()
	key, err := store.Unlock(ctx, ref, unlocker)
	if err != nil {
		return nil, err
	}
	defer key.Wipe()
	if password == nil {
		return nil, fmt.Errorf("%s is not encrypted: it has no password to store", ref)
	}
	account := key.Account()
	_, err = a.askKeyring(ctx, func() (string, error) { return "", keyring.Set(keyringService, path, string(password)) })
	return changed{Name: name, Change: "password stored", Address: &account, Path: path}, err
}

func (a *app) keyringForgetCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "forget NAME[/HOTKEY]",
		Short: "Remove the password of a key from the system's keyring",
		Long:  "Remove the password of a key from the system's keyring. The key stays as it is.",
		Args:  arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		ref, store, err := a.refAndStore(args[0])
		if err != nil {
			return nil, err
		}
		path, err := filepath.Abs(store.Path(ref))
		if err != nil {
			return nil, err
		}
		_, err = a.askKeyring(c.Context(), func() (string, error) { return "", keyring.Delete(keyringService, path) })
		if errors.Is(err, keyring.ErrNotFound) {
			err = &keyringEmptyError{path}
		}
		return changed{Name: args[0], Change: "password forgotten", Path: path}, err
	})
}
