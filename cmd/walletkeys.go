package cmd

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/internal/view"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// keyDetails is the result of wallet show.
type keyDetails struct {
	keyRow
	PublicKey string `json:"public_key,omitempty"`
	Format    string `json:"format,omitempty"`
	BackedUp  bool   `json:"backed_up"` // its owner has shown to have the mnemonic
	Path      string `json:"path"`
}

func (a *app) walletShowCommand() *cobra.Command {
	qr := false
	c := &cobra.Command{
		Use:   "show NAME[/HOTKEY]",
		Short: "Show a key's address and how it is kept",
		Long:  "Show a key's address, with --qr for a telephone's camera too, and how it is kept.\nNo password is asked for.",
		Args:  arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.formFlags(c)
	c.Flags().BoolVar(&qr, "qr", false, "draw the address as a QR code")
	c.RunE = func(_ *cobra.Command, args []string) error {
		details, err := a.keyDetails(args[0])
		if err != nil {
			return err
		}
		if err := a.show(details); err != nil || !qr || a.out.json {
			return err
		}
		if details.Address == nil {
			return fmt.Errorf("the address of %s is not known without its password", args[0])
		}
		return view.QR(a.env.Out, details.Address.String())
	}
	return c
}

func (a *app) keyDetails(name string) (keyDetails, error) {
	ref, store, err := a.refAndStore(name)
	if err != nil {
		return keyDetails{}, err
	}
	info, err := store.Info(ref)
	if err != nil && info.Path == "" {
		return keyDetails{}, err
	}
	d := keyDetails{keyRow: keyRowOf(info), Format: string(info.Format), Path: info.Path}
	if info.Known {
		d.PublicKey = "0x" + hex.EncodeToString(info.Account[:])
		d.BackedUp = store.BackupConfirmed(ref, info.Account)
	}
	var absent *keystore.NotFoundError
	if errors.As(err, &absent) {
		return d, err
	}
	return d, nil
}

func (a *app) refAndStore(name string) (keystore.Ref, *keystore.Store, error) {
	ref, err := keystore.ParseRef(name)
	if err != nil {
		return ref, nil, err
	}
	store, err := a.store()
	return ref, store, err
}

func (a *app) walletHotkeyCommand() *cobra.Command {
	return group("hotkey", "Make, import and list the hotkeys of wallets",
		a.hotkeyCreateCommand(), a.hotkeyImportCommand(), a.hotkeyListCommand())
}

func (a *app) hotkeyCreateCommand() *cobra.Command {
	var f newKeyFlags
	c := &cobra.Command{
		Use:   "create WALLET/HOTKEY",
		Short: "Make a new hotkey in a wallet",
		Long: `Make a new hotkey with a mnemonic of its own, which is shown once or written to a
file with --mnemonic-file. It is encrypted; --plain-hotkey keeps it readable for
miners that start unattended and have no password source.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	a.formFlags(c)
	f.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		ref, err := a.hotkeyRef(args[0])
		if err != nil {
			return err
		}
		if err := f.check(); err != nil {
			return err
		}
		f.noPassword = f.noPassword || f.plainHotkey
		result, err := a.createKeys(c.Context(), []keystore.Ref{ref}, f)
		if err != nil {
			return err
		}
		return a.show(result[0])
	}
	return c
}

// hotkeyRef reads WALLET/HOTKEY; the wallet must be there already, or a typing
// error would make another one.
func (a *app) hotkeyRef(name string) (keystore.Ref, error) {
	ref, store, err := a.refAndStore(name)
	if err != nil {
		return ref, err
	}
	if ref.Hotkey == "" {
		return ref, usagef("%q names a wallet: write WALLET/HOTKEY", name)
	}
	_, err = store.Wallet(ref.Wallet)
	return ref, err
}

func (a *app) hotkeyImportCommand() *cobra.Command {
	c := a.walletImportCommand()
	c.Use = "import WALLET/HOTKEY"
	c.Short = "Import a hotkey into a wallet"
	c.Example = "  taoctl wallet hotkey import alice/miner"
	run := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		if _, err := a.hotkeyRef(args[0]); err != nil {
			return err
		}
		return run(c, args)
	}
	return c
}

func (a *app) hotkeyListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list [WALLET]",
		Short: "List the hotkeys of a wallet",
		Args:  arguments(cobra.MaximumNArgs(1)),
	}
	a.walletFlags(c)
	return a.query(c, func(_ *cobra.Command, args []string) (any, error) {
		name := a.walletName()
		if len(args) == 1 {
			name = args[0]
		}
		store, err := a.store()
		if err != nil {
			return nil, err
		}
		w, err := store.Wallet(name)
		rows := []keyRow{}
		for _, h := range w.Hotkeys {
			rows = append(rows, keyRowOf(h))
		}
		return rows, err
	})
}

func (a *app) walletWatchCommand() *cobra.Command {
	replace := false
	c := &cobra.Command{
		Use:     "watch NAME[/HOTKEY] ADDRESS",
		Short:   "Keep an address under a name, without its secret",
		Long:    "Keep an address under a name, so that its balance can be looked at by name. It cannot\nsign; importing its secret later makes it a full key.",
		Example: "  taoctl wallet watch cold-storage 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
		Args:    arguments(cobra.ExactArgs(2)),
	}
	a.walletFlags(c)
	c.Flags().BoolVar(&replace, "replace", false, "put it in place of another watched address, which is kept as a backup")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		ref, store, err := a.refAndStore(args[0])
		if err != nil {
			return nil, err
		}
		account, err := tao.ParseAccount(args[1])
		if err != nil {
			return nil, err
		}
		saved, err := store.Watch(c.Context(), ref, account, replace)
		if err != nil {
			return nil, err
		}
		return changed{Name: ref.String(), Change: "watched", Address: &saved.Account, Path: saved.Path, Backup: saved.Backup}, nil
	})
}

// changed is the result of a command that changes files.
type changed struct {
	Name    string       `json:"name"`
	Change  string       `json:"change"` // watched, renamed, removed, re-encrypted, exported
	Address *tao.Account `json:"address,omitempty"`
	Path    string       `json:"path,omitempty"`
	Backup  string       `json:"backup,omitempty"` // where what stood there before is kept
}

func (a *app) walletRenameCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rename NAME[/HOTKEY] NEW[/HOTKEY]",
		Short: "Give a wallet or a hotkey another name",
		Long:  "Give a wallet, with its hotkeys, or a hotkey another name. Nothing is overwritten.",
		Args:  arguments(cobra.ExactArgs(2)),
	}
	a.walletFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		from, store, err := a.refAndStore(args[0])
		if err != nil {
			return nil, err
		}
		to, err := keystore.ParseRef(args[1])
		if err != nil {
			return nil, err
		}
		if err := store.Rename(c.Context(), from, to); err != nil {
			return nil, err
		}
		return changed{Name: to.String(), Change: "renamed", Path: store.Path(to)}, nil
	})
}

func (a *app) walletRemoveCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "remove NAME[/HOTKEY]",
		Short: "Delete a wallet or a hotkey from this machine",
		Long: `Delete a hotkey, or a whole wallet with its hotkeys and backups. Without its mnemonic
on paper the key is lost for ever, and what it owns with it. The name must be
typed again; --yes stands for that.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	c.Flags().BoolVarP(&a.change.yes, "yes", "y", false, "delete without asking")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		ref, store, err := a.refAndStore(args[0])
		if err != nil {
			return nil, err
		}
		keys, err := keysUnder(store, ref)
		if err != nil {
			return nil, err
		}
		if err := a.agreeToRemove(c.Context(), args[0], keys); err != nil {
			return nil, err
		}
		if err := store.Remove(c.Context(), ref); err != nil {
			return nil, err
		}
		return changed{Name: args[0], Change: "removed", Address: keys[0].Address}, nil
	})
}

// removedKey is a key that is about to be deleted.
type removedKey struct {
	keyRow
	BackedUp bool `json:"backed_up"`
}

// keysUnder are the keys that go with a hotkey (itself) or with a wallet: what
// there is of its coldkey, and its hotkeys.
func keysUnder(store *keystore.Store, ref keystore.Ref) (keys []removedKey, err error) {
	add := func(i keystore.Info) {
		keys = append(keys, removedKey{keyRowOf(i), i.Known && store.BackupConfirmed(i.Ref, i.Account)})
	}
	if ref.Hotkey != "" {
		info, err := store.Info(ref)
		if info.Path == "" || absent(err) != nil {
			return nil, err
		}
		add(info) // a damaged key can be deleted too
		return keys, nil
	}
	w, err := store.Wallet(ref.Wallet)
	if err != nil {
		return nil, err
	}
	if absent(w.Coldkey.Problem) == nil {
		add(w.Coldkey)
	}
	for _, hotkey := range w.Hotkeys {
		add(hotkey)
	}
	return keys, nil
}

// absent is err if it says that a key is not there at all. One that is damaged
// is there.
func absent(err error) error {
	var missing *keystore.NotFoundError
	if errors.As(err, &missing) {
		return missing
	}
	return nil
}

// agreeToRemove has the name typed: a habit of pressing y must not delete keys.
func (a *app) agreeToRemove(ctx context.Context, name string, keys []removedKey) error {
	if a.change.yes {
		return nil
	}
	t, err := a.terminal()
	if err != nil {
		return consentError{}
	}
	if err := a.tell(keys); err != nil {
		return err
	}
	for _, k := range keys {
		if !k.BackedUp && !k.Watched {
			a.say("Nothing shows that the mnemonic of %s was written down. What this key owns is lost with it.", k.Name)
		}
	}
	typed, err := t.Ask(ctx, "Type the name "+name+" to delete it for ever", nil)
	if errors.Is(err, term.ErrInterrupted) {
		return errInterrupted
	}
	if err == nil && typed != name {
		return errDeclined
	}
	return err
}
