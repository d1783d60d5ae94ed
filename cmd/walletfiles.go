package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// inspection is the result of wallet inspect.
type inspection struct {
	File string `json:"file,omitempty"`
	keystore.Report
	Cause string `json:"problem,omitempty"`
}

func (a *app) walletInspectCommand() *cobra.Command {
	stdin := false
	c := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say what a key file is, and whether it opens",
		Long: `Say what a file is: its format, scheme and address, whether it is encrypted, and with
--password-file or --password-command whether it opens. With --stdin, the same for
a mnemonic, a seed or a secret URI on standard input. Nothing is changed, and no
secret is shown.`,
		Example: "  taoctl wallet inspect ~/old/coldkey --password-file pw\n  taoctl wallet inspect --stdin < words.txt",
		Args:    arguments(cobra.MaximumNArgs(1)),
	}
	a.passwordFlags(c)
	c.Flags().BoolVar(&stdin, "stdin", false, "inspect what is on standard input")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		if stdin == (len(args) == 1) {
			return nil, usagef("name one FILE, or --stdin")
		}
		out, err := a.inspect(c.Context(), args)
		if err != nil {
			return nil, err
		}
		if out.Problem != nil {
			out.Cause = out.Problem.Error()
		}
		return out, verdictOf(out.Problem)
	})
}

func (a *app) inspect(ctx context.Context, args []string) (inspection, error) {
	var unlocker *keystore.Unlocker
	path := ""
	if len(args) == 1 {
		path = args[0]
	}
	// No question is asked: inspecting is for looking, and for scripts.
	if a.hasPassword(path) {
		unlocker = keystore.NewUnlocker(func(string) ([]byte, error) {
			secret, _, err := a.givenPassword(ctx, path)
			return secret, err
		}).OnWork(func(keystore.Format) func() { return a.busy("opening the file").Stop })
		defer unlocker.Wipe()
	}
	if path != "" {
		report, err := keystore.InspectFile(ctx, path, unlocker)
		return inspection{File: path, Report: report}, err
	}
	text, err := readAll(a.env.In, "standard input")
	defer clear(text)
	if err != nil {
		return inspection{}, err
	}
	return inspection{Report: keystore.Inspect(ctx, "standard input", text, "", unlocker)}, nil
}

// hasPassword reports whether givenPassword would find one.
func (a *app) hasPassword(path string) bool {
	s := &a.settings
	return s.or(s.passwordFile, envPasswordFile, "") != "" || s.passwordCommand != "" || s.passwordKeyring ||
		path != "" && a.env.Getenv(passwordVariable(path)) != ""
}

// newPasswordFlags are for a password that replaces another, or protects a copy.
type newPasswordFlags struct {
	file, command string
	none          bool
}

func (f *newPasswordFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.file, "new-password-file", "", "read the new password from the first line of this file")
	c.Flags().StringVar(&f.command, "new-password-command", "", "read the new password from the first line that this command prints")
}

// password finds the new password; the caller wipes it.
func (f *newPasswordFlags) password(ctx context.Context, a *app) (secret []byte, err error) {
	switch {
	case f.file != "" && f.command != "":
		return nil, usagef("--new-password-file and --new-password-command exclude each other")
	case f.file != "":
		secret, err = filePassword(f.file)
	case f.command != "":
		secret, err = commandPassword(ctx, f.command)
	default:
		secret, err = a.askNewPassword(ctx)
		if errors.Is(err, keystore.ErrNoPassphrase) {
			err = usagef("there is no terminal to ask for the new password: give --new-password-file or --new-password-command")
		}
	}
	if err == nil {
		err = keystore.CheckPassphrase(secret)
	}
	if err != nil {
		clear(secret)
		return nil, err
	}
	return secret, nil
}

func (a *app) walletPasswdCommand() *cobra.Command {
	var f newPasswordFlags
	keepOld := false
	c := &cobra.Command{
		Use:   "passwd NAME[/HOTKEY]",
		Short: "Change a key's password, and bring its file up to date",
		Long: `Encrypt a key anew, under a new password. A file of an old format (Ansible Vault, the
oldest Fernet, an unencrypted file) is brought to the current one by the way. The old
file stays until the new one was opened and compared.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	f.add(c)
	c.Flags().BoolVar(&f.none, "no-password", false, "keep the key unencrypted: whoever can read the file owns the money")
	c.Flags().BoolVar(&keepOld, "keep-old", false, "keep the old file as a backup; it opens with the old password")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		ref, store, err := a.refAndStore(args[0])
		if err != nil {
			return nil, err
		}
		if _, err := store.Info(ref); err != nil && isAbsentKey(err) {
			return nil, err
		}
		unlocker := a.unlocker(c.Context(), store.Path(ref))
		defer unlocker.Wipe()
		// A wrong old password is found out before a new one is thought up.
		old, err := store.Unlock(c.Context(), ref, unlocker)
		if err != nil {
			return nil, err
		}
		old.Wipe()
		options := keystore.SaveOptions{Plain: f.none, KeepOld: keepOld}
		if !f.none {
			if options.Passphrase, err = f.password(c.Context(), a); err != nil {
				return nil, err
			}
			defer clear(options.Passphrase)
		}
		saved, err := store.Passwd(c.Context(), ref, unlocker, options)
		return changed{Name: ref.String(), Change: "re-encrypted", Address: &saved.Account, Path: saved.Path, Backup: saved.Backup}, err
	})
}

func isAbsentKey(err error) bool { return is[*keystore.NotFoundError](err) }

// exportFormats are what wallet export writes.
const (
	exportPolkadotJS = "polkadot-js"
	exportKeyfile    = "keyfile"
	exportMnemonic   = "mnemonic"
)

func (a *app) walletExportCommand() *cobra.Command {
	var f newPasswordFlags
	var format, out string
	c := &cobra.Command{
		Use:   "export NAME[/HOTKEY]",
		Short: "Copy a key out, for another wallet or for paper",
		Long: `Copy a key out. polkadot-js writes the JSON that browser wallets import, keyfile the
official wallet's own file; both are encrypted with a new password. mnemonic shows
the words once, on the terminal only.`,
		Example: "  taoctl wallet export alice --format polkadot-js --out alice.json\n  taoctl wallet export alice --format mnemonic",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	f.add(c)
	c.Flags().StringVar(&format, "format", exportPolkadotJS, "polkadot-js, keyfile or mnemonic")
	c.Flags().StringVar(&out, "out", "", "the new file")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		switch {
		case format != exportPolkadotJS && format != exportKeyfile && format != exportMnemonic:
			return nil, usagef("--format %q is not polkadot-js, keyfile or mnemonic", format)
		case (format == exportMnemonic) == (out != ""):
			return nil, usagef("polkadot-js and keyfile need --out; a mnemonic is shown on the terminal only")
		}
		key, err := a.openKey(c, args[0])
		if err != nil {
			return nil, err
		}
		defer key.Wipe()
		account := key.Account()
		done := changed{Name: args[0], Change: "exported", Address: &account, Path: out}
		if format == exportMnemonic {
			return done, a.writeDown(c.Context(), args[0], key)
		}
		return done, a.exportFile(c.Context(), args[0], key, &f, format, out)
	})
}

func (a *app) exportFile(ctx context.Context, name string, key *keystore.Key, f *newPasswordFlags, format, out string) error {
	secret, err := f.password(ctx, a)
	if err != nil {
		return err
	}
	defer clear(secret)
	var file []byte
	if format == exportPolkadotJS {
		spin := a.busy("encrypting the copy")
		file, err = keystore.ExportPolkadotJS(ctx, key, name, a.env.Now(), secret)
		spin.Stop()
	} else {
		unlocker := a.encrypter()
		defer unlocker.Wipe()
		file, err = keystore.Encode(ctx, key, unlocker, keystore.SaveOptions{Passphrase: secret})
	}
	if err != nil {
		return err
	}
	return createFile(out, file)
}

// writeDown shows a key's mnemonic once, on the terminal, and has three words
// typed back.
func (a *app) writeDown(ctx context.Context, name string, key *keystore.Key) error {
	ref, store, err := a.refAndStore(name)
	if err != nil {
		return err
	}
	t, err := a.terminal()
	if err != nil {
		return err
	}
	err = key.Reveal(func(s keystore.Secrets) error {
		if s.Phrase == nil {
			return fmt.Errorf("the file of %s holds no mnemonic, only the key itself: export it as keyfile or polkadot-js", name)
		}
		mnemonic, err := keystore.ParseMnemonic(s.Phrase)
		if err != nil {
			return err
		}
		defer mnemonic.Wipe()
		return handOver(ctx, t, []newKey{{ref, mnemonic, key}})
	})
	if err != nil {
		return err
	}
	return store.ConfirmBackup(ctx, ref, key.Account())
}

// finding is one row of wallet doctor.
type finding struct {
	Severity keystore.Severity `json:"severity"`
	Key      string            `json:"key,omitempty"`
	Path     string            `json:"path"`
	What     string            `json:"what"`
	Fix      string            `json:"fix,omitempty"` // the command that mends it
	Mended   bool              `json:"mended,omitempty"`
}

// dangerError says that the doctor leaves something dangerous behind.
type dangerError struct{ Count int }

func (e *dangerError) Error() string {
	return fmt.Sprintf("%d dangerous findings are not mended", e.Count)
}

func (a *app) walletDoctorCommand() *cobra.Command {
	fix, open := false, false
	c := &cobra.Command{
		Use:   "doctor",
		Short: "Check every file of every wallet",
		Long: `Check every file of every wallet: modes, formats, addresses against keys, weak or
missing encryption, half-written files, missing backups; and say what mends each.
--fix mends what needs no secret. --open also opens the encrypted keys, with one
password; btcli's BT_PW_ variables, one for each file, are not looked at. The exit
code is 1 while something dangerous is left.`,
		Args: arguments(cobra.NoArgs),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	c.Flags().BoolVar(&fix, "fix", false, "mend what can be mended without a secret")
	c.Flags().BoolVar(&open, "open", false, "open the encrypted keys and check what is in them")
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		store, err := a.store()
		if err != nil {
			return nil, err
		}
		var unlocker *keystore.Unlocker
		if open {
			unlocker = a.unlocker(c.Context(), store.Dir())
			defer unlocker.Wipe()
		}
		found, err := store.Examine(c.Context(), unlocker)
		if err != nil {
			return nil, err
		}
		return mend(c.Context(), found, fix)
	})
}

// mend lists the findings, mending those that can be.
func mend(ctx context.Context, found []keystore.Finding, fix bool) (any, error) {
	rows := []finding{}
	var failures []error
	dangers := 0
	for _, f := range found {
		row := finding{Severity: f.Severity, Path: f.Path, What: f.What, Fix: f.Fix}
		if f.Ref != (keystore.Ref{}) {
			row.Key = f.Ref.String()
		}
		if fix && f.Mend != nil {
			err := f.Mend(ctx)
			row.Mended = err == nil
			if err != nil {
				failures = append(failures, fmt.Errorf("mend %s: %w", f.Path, err))
			}
		}
		if f.Severity == keystore.Danger && !row.Mended {
			dangers++
		}
		rows = append(rows, row)
	}
	if dangers > 0 {
		failures = append(failures, &dangerError{dangers})
	}
	return rows, verdictOf(errors.Join(failures...))
}

// importFile opens a key file of any format, from another wallet.
func (a *app) importFile(ctx context.Context, path string, format keystore.Format, scheme tao.Scheme) (*keystore.Key, error) {
	data, err := keystore.ReadFile(path)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	if format == "" {
		format = keystore.Detect(data)
	}
	if format == keystore.SecretURI || format == keystore.Mnemonic12 || format == keystore.HexSecret {
		return keystore.FromURI(data, scheme)
	}
	unlocker := a.unlocker(ctx, path)
	defer unlocker.Wipe()
	return keystore.OpenBytes(ctx, path, data, format, unlocker)
}
