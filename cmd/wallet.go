package cmd

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

func (a *app) walletCommand() *cobra.Command {
	return group("wallet", "Make, import and keep wallets",
		a.walletCreateCommand(), a.walletImportCommand(), a.walletListCommand(), a.walletShowCommand(),
		a.walletInspectCommand(), a.walletBalanceCommand(), a.walletHotkeyCommand(), a.walletWatchCommand(),
		a.walletSignCommand(), a.walletVerifyCommand(), a.walletPasswdCommand(), a.walletExportCommand(),
		a.walletDoctorCommand(), a.walletRenameCommand(), a.walletRemoveCommand(),
		a.walletKeyringCommand())
}

// keyRow is one key of a wallet.
type keyRow struct {
	Name      string       `json:"name"` // WALLET or WALLET/HOTKEY
	Kind      string       `json:"kind"` // coldkey or hotkey
	Address   *tao.Account `json:"address,omitempty"`
	Encrypted bool         `json:"encrypted"`
	Watched   bool         `json:"watched,omitempty"` // there is no secret here
	Problem   string       `json:"problem,omitempty"`
}

func keyRowOf(i keystore.Info) keyRow {
	row := keyRow{Name: i.Ref.String(), Kind: i.Ref.Kind(), Encrypted: i.Encrypted, Watched: i.Known && !i.Secret}
	if i.Known {
		row.Address = &i.Account
	}
	if i.Problem != nil {
		row.Problem = i.Problem.Error()
	}
	return row
}

func (a *app) walletListCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "list",
		Short: "List wallets and their keys",
		Long:  "List every wallet, with the addresses of its coldkey and hotkeys. No password is asked for.",
		Args:  arguments(cobra.NoArgs),
	}
	a.walletFlags(c)
	return a.query(c, func(*cobra.Command, []string) (any, error) {
		store, err := a.store()
		if err != nil {
			return nil, err
		}
		wallets, err := store.Wallets()
		rows := []keyRow{}
		for _, w := range wallets {
			if absent(w.Coldkey.Problem) == nil {
				rows = append(rows, keyRowOf(w.Coldkey))
			}
			for _, h := range w.Hotkeys {
				rows = append(rows, keyRowOf(h))
			}
		}
		return rows, err
	})
}

func (a *app) walletBalanceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "balance [WALLET]...",
		Short: "Show what the coldkeys of wallets hold",
		Long:  "Show what the coldkeys hold in TAO: those of the wallets named, or of all.",
	}
	a.networkFlags(c)
	a.walletFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		owners, err := a.coldkeys(args)
		if err != nil {
			return nil, err
		}
		return a.holdings(c, owners)
	})
}

// coldkeys are those of the wallets named, or all whose address is known.
func (a *app) coldkeys(names []string) (owners []owner, err error) {
	if len(names) > 0 {
		for _, name := range names {
			w, err := a.wallet(name)
			if err != nil {
				return nil, err
			}
			owners = append(owners, owner{name, w.Coldkey})
		}
		return owners, nil
	}
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	wallets, err := store.Wallets()
	for _, w := range wallets {
		if w.Coldkey.Known {
			owners = append(owners, owner{w.Name, w.Coldkey.Account})
		}
	}
	return owners, err
}

// made is the result of wallet create and wallet import.
type made struct {
	Name      string      `json:"name"`
	Kind      string      `json:"kind"`
	Address   tao.Account `json:"address"`
	Encrypted bool        `json:"encrypted"`
	Path      string      `json:"path" view:"-"`
}

// newKeyFlags say how new keys are kept.
type newKeyFlags struct {
	noPassword   bool
	plainHotkey  bool
	coldkeyOnly  bool
	words        int
	mnemonicFile string
}

func (a *app) walletCreateCommand() *cobra.Command {
	var f newKeyFlags
	c := &cobra.Command{
		Use:   "create NAME",
		Short: "Make a wallet with a new coldkey and hotkey",
		Long: `Make a wallet: a new coldkey, which owns money, and a new hotkey, which works on
subnets. Each has a mnemonic of its own, the only way to have the key back; they
are shown once, on the terminal, or written to a file with --mnemonic-file.

Both keys are encrypted with the password, in the format that btcli reads.`,
		Example: "  taoctl wallet create alice\n  taoctl wallet create miner --password-file pw --mnemonic-file /media/usb/miner.txt",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.hotkeyFlag(c)
	a.passwordFlags(c)
	a.formFlags(c)
	f.add(c)
	c.Flags().BoolVar(&f.coldkeyOnly, "coldkey-only", false, "make no hotkey")
	c.RunE = func(c *cobra.Command, args []string) error {
		if err := f.check(); err != nil {
			return err
		}
		refs := []keystore.Ref{{Wallet: args[0]}}
		if !f.coldkeyOnly {
			refs = append(refs, keystore.Ref{Wallet: args[0], Hotkey: a.hotkeyName()})
		}
		result, err := a.createKeys(c.Context(), refs, f)
		if err != nil {
			return err
		}
		return a.show(result)
	}
	return c
}

func (f *newKeyFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.IntVar(&f.words, "words", 12, "words of each mnemonic: 12 or 24")
	fl.StringVar(&f.mnemonicFile, "mnemonic-file", "", "write the mnemonics to this new file instead of showing them")
	fl.BoolVar(&f.plainHotkey, "plain-hotkey", false, "keep the hotkey unencrypted, for miners that start unattended and have no password source")
	fl.BoolVar(&f.noPassword, "no-password", false, "keep the keys unencrypted: whoever can read the files owns the money")
}

func (f *newKeyFlags) check() error {
	if f.words != 12 && f.words != 24 {
		return usagef("--words is 12 or 24, not %d", f.words)
	}
	return nil
}

// newKey is a key on its way into a file.
type newKey struct {
	ref      keystore.Ref
	mnemonic *keystore.Mnemonic
	key      *keystore.Key
}

func (n newKey) wipe() {
	n.key.Wipe()
	n.mnemonic.Wipe()
}

// createKeys makes new keys under the names, has their mnemonics written down,
// and keeps them.
func (a *app) createKeys(ctx context.Context, refs []keystore.Ref, f newKeyFlags) ([]made, error) {
	store, err := a.freeStore(refs)
	if err != nil {
		return nil, err
	}
	t, err := a.terminal()
	if err != nil && f.mnemonicFile == "" {
		return nil, usagef("nobody is there to write the mnemonics down: name a file for them with --mnemonic-file")
	}
	unlocker, options, err := a.newPassword(ctx, store, refs[0], f.noPassword)
	if err != nil {
		return nil, err
	}
	defer unlocker.Wipe()
	defer clear(options.Passphrase)
	keys, err := makeKeys(refs, f.words)
	for _, k := range keys {
		defer k.wipe()
	}
	if err != nil {
		return nil, err
	}
	if f.mnemonicFile != "" {
		err = writeMnemonics(f.mnemonicFile, keys)
	} else {
		err = handOver(ctx, t, keys)
	}
	if err != nil {
		return nil, err
	}
	list, err := a.saveKeys(ctx, store, unlocker, keys, options, f.plainHotkey)
	if err != nil || f.mnemonicFile != "" {
		return list, err
	}
	for _, k := range keys {
		if err := store.ConfirmBackup(ctx, k.ref, k.key.Account()); err != nil {
			return list, &partlySavedError{Saved: list, Err: fmt.Errorf("noting that the mnemonics are written down: %w", err)}
		}
	}
	return list, nil
}

// partlySavedError says which keys were kept before something failed: they are
// there, their mnemonics are written down, and money may be sent to them.
type partlySavedError struct {
	Saved []made
	Err   error
}

func (e *partlySavedError) Error() string {
	if len(e.Saved) == 0 {
		return e.Err.Error()
	}
	var kept []string
	for _, m := range e.Saved {
		kept = append(kept, fmt.Sprintf("%s %s (%s)", m.Kind, m.Name, m.Address))
	}
	return fmt.Sprintf("%v; already kept: %s", e.Err, strings.Join(kept, ", "))
}

func (e *partlySavedError) Unwrap() error { return e.Err }

// freeStore is the store, if the names are free: what stands in the way is
// refused before anybody writes down a mnemonic in vain.
func (a *app) freeStore(refs []keystore.Ref) (*keystore.Store, error) {
	store, err := a.store()
	if err != nil {
		return nil, err
	}
	for _, ref := range refs {
		if err := store.CheckFree(ref); err != nil {
			return nil, err
		}
	}
	return store, nil
}

func makeKeys(refs []keystore.Ref, words int) (keys []newKey, err error) {
	for _, ref := range refs {
		mnemonic, err := keystore.NewMnemonic(words)
		if err != nil {
			return keys, err
		}
		key, err := mnemonic.Key(tao.Sr25519, keystore.KeyOptions{})
		if err != nil {
			return keys, err
		}
		keys = append(keys, newKey{ref, mnemonic, key})
	}
	return keys, nil
}

func (a *app) saveKeys(ctx context.Context, store *keystore.Store, u *keystore.Unlocker, keys []newKey, o keystore.SaveOptions, plainHotkey bool) (list []made, err error) {
	for _, k := range keys {
		how := o
		if plainHotkey && k.ref.Hotkey != "" {
			how = keystore.SaveOptions{Plain: true}
		}
		saved, err := store.Save(ctx, k.ref, k.key, u, how)
		if err != nil {
			return list, &partlySavedError{Saved: list, Err: err}
		}
		list = append(list, madeOf(saved, !how.Plain))
	}
	return list, nil
}

func madeOf(s keystore.Saved, encrypted bool) made {
	return made{Name: s.Ref.String(), Kind: s.Ref.Kind(), Address: s.Account, Encrypted: encrypted, Path: s.Path}
}

// newPassword finds or asks for the password of new files.
func (a *app) newPassword(ctx context.Context, store *keystore.Store, ref keystore.Ref, none bool) (*keystore.Unlocker, keystore.SaveOptions, error) {
	unlocker := a.encrypter()
	if none {
		a.say("The keys are kept unencrypted: whoever can read the files owns the money.")
		return unlocker, keystore.SaveOptions{Plain: true}, nil
	}
	secret, given, err := a.givenPassword(ctx, store.Path(ref))
	if !given && err == nil {
		secret, err = a.askNewPassword(ctx)
	}
	if err == nil {
		err = keystore.CheckPassphrase(secret)
	}
	if err != nil {
		clear(secret)
		unlocker.Wipe()
		return nil, keystore.SaveOptions{}, err
	}
	return unlocker, keystore.SaveOptions{Passphrase: secret}, nil
}

// minPassword is the least length of a new password that a person chooses, in
// bytes. The file format has one salt for all its users, so a weak password is
// found by one search for everybody's files.
const minPassword = 8

func (a *app) askNewPassword(ctx context.Context) ([]byte, error) {
	t, err := a.terminal()
	if err != nil {
		return nil, fmt.Errorf("a password for the new keys: %w", keystore.ErrNoPassphrase)
	}
	first, err := t.Secret(ctx, "New password")
	if err != nil {
		return nil, asInterrupted(err)
	}
	if len(first) < minPassword {
		clear(first)
		return nil, fmt.Errorf("the password is shorter than %d characters: four random words are a good one; nothing was written", minPassword)
	}
	second, err := t.Secret(ctx, "The same again")
	defer clear(second)
	if err == nil && !bytes.Equal(first, second) {
		err = errors.New("the two passwords differ; nothing was written")
	}
	if err != nil {
		clear(first)
		return nil, asInterrupted(err)
	}
	return first, nil
}

func asInterrupted(err error) error {
	if errors.Is(err, term.ErrInterrupted) {
		return errInterrupted
	}
	return err
}

// handOver shows the mnemonics once and has three words of each typed back:
// proof that they were written down.
func handOver(ctx context.Context, t *term.Terminal, keys []newKey) error {
	var lines [][]byte
	defer func() {
		for _, l := range lines {
			clear(l)
		}
	}()
	lines = append(lines, []byte("Write these words down, in order, on paper. They are shown this once."),
		[]byte("Whoever has them has the key; without them a lost file is a lost key."))
	for _, k := range keys {
		err := k.mnemonic.Reveal(func(phrase []byte) error {
			lines = append(lines, nil, []byte(k.ref.Kind()+" "+k.ref.String()+", "+k.key.Account().String()), nil)
			lines = append(lines, numbered(phrase)...)
			return nil
		})
		if err != nil {
			return err
		}
	}
	if err := t.ShowOnce(ctx, lines); err != nil {
		return asInterrupted(err)
	}
	for _, k := range keys {
		if err := checkWritten(ctx, t, k); err != nil {
			return err
		}
	}
	return nil
}

// numbered lays the words out, four to a line.
func numbered(phrase []byte) (lines [][]byte) {
	var line []byte
	for i, word := range bytes.Fields(phrase) {
		line = fmt.Appendf(line, "%4d. %-10s", i+1, word)
		if i%4 == 3 {
			lines = append(lines, line)
			line = nil
		}
	}
	if line != nil {
		lines = append(lines, line)
	}
	return lines
}

// checkWritten asks for three words of a mnemonic.
func checkWritten(ctx context.Context, t *term.Terminal, k newKey) error {
	return k.mnemonic.Reveal(func(phrase []byte) error {
		words := bytes.Fields(phrase)
		for _, i := range threeOf(len(words)) {
			label := fmt.Sprintf("Word %d of the %s's mnemonic", i+1, k.ref.Kind())
			if err := checkWord(ctx, t, label, words[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func checkWord(ctx context.Context, t *term.Terminal, label string, want []byte) error {
	for range term.Attempts {
		got, err := t.Secret(ctx, label)
		if err != nil {
			return asInterrupted(err)
		}
		same := bytes.Equal(bytes.ToLower(bytes.TrimSpace(got)), want)
		clear(got)
		if same {
			return nil
		}
		label = "That is not it. " + strings.TrimPrefix(label, "That is not it. ")
	}
	return errors.New("the mnemonic was not written down right: begin again")
}

// threeOf draws three different positions below n, in order.
func threeOf(n int) []int {
	var picks []int
	for len(picks) < 3 {
		r, err := rand.Int(rand.Reader, big.NewInt(int64(n)))
		if err != nil {
			return []int{0, n / 2, n - 1} // crypto/rand does not fail on any system Go supports
		}
		if i := int(r.Int64()); !slices.Contains(picks, i) {
			picks = append(picks, i)
		}
	}
	slices.Sort(picks)
	return picks
}

// writeMnemonics puts the mnemonics into a new file that only its owner reads.
func writeMnemonics(path string, keys []newKey) error {
	var text []byte
	defer func() { clear(text) }()
	for _, k := range keys {
		err := k.mnemonic.Reveal(func(phrase []byte) error {
			text = fmt.Appendf(text, "%s %s\n%s\n%s\n", k.ref.Kind(), k.ref, k.key.Account(), phrase)
			return nil
		})
		if err != nil {
			return err
		}
	}
	return createFile(path, text)
}

func (a *app) walletImportCommand() *cobra.Command {
	var f importFlags
	c := &cobra.Command{
		Use:   "import NAME[/HOTKEY]",
		Short: "Import a key from its mnemonic or seed",
		Long: `Import a coldkey (NAME) or a hotkey (NAME/HOTKEY) from a secret, which is asked for
on the terminal or read from standard input with --stdin: a mnemonic of 12 to 24
words, 0x and the 64 hex digits of a seed, or either with a derivation path
behind it (//hard/soft). The words may be numbered and in any order.

With --file, another wallet's key file is opened, with --password-file where it is
encrypted, and kept here under a new password.`,
		Example: "  taoctl wallet import alice\n  taoctl wallet import alice/miner --stdin < words.txt\n  taoctl wallet import dev --dev //Alice --no-password",
		Args:    arguments(cobra.ExactArgs(1)),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	a.formFlags(c)
	fl := c.Flags()
	fl.BoolVar(&f.stdin, "stdin", false, "read the secret from standard input")
	fl.StringVar(&f.file, "file", "", "import another wallet's key file: btcli's of any age, Polkadot-JS JSON, agcli's")
	fl.StringVar(&f.format, "format", "", "what --file is, where it does not say so itself (\"agcli\")")
	fl.StringVar(&f.path, "path", "", "derivation path below the secret, such as //stash/0")
	fl.StringVar(&f.scheme, "scheme", "sr25519", "sr25519 or ed25519")
	fl.StringVar(&f.dev, "dev", "", "a well-known development key such as //Alice, for local chains; everybody has it")
	fl.BoolVar(&f.noPassword, "no-password", false, "keep the key unencrypted: whoever can read the file owns the money")
	f.fresh.add(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		result, err := a.importKey(c.Context(), args[0], f)
		if err != nil {
			return err
		}
		return a.show(result)
	}
	return c
}

type importFlags struct {
	stdin      bool
	file       string
	format     string
	path       string
	scheme     string
	dev        string
	noPassword bool
	fresh      newPasswordFlags // of the imported copy, where --password-file opens the original
}

func (a *app) importKey(ctx context.Context, name string, f importFlags) (made, error) {
	ref, err := keystore.ParseRef(name)
	if err != nil {
		return made{}, err
	}
	store, err := a.store()
	if err != nil {
		return made{}, err
	}
	if err := store.CheckFree(ref); err != nil {
		return made{}, err
	}
	key, err := a.secretKey(ctx, store, ref, f)
	if err != nil {
		return made{}, err
	}
	defer key.Wipe()
	unlocker, options, err := a.importPassword(ctx, store, ref, f)
	if err != nil {
		return made{}, err
	}
	defer unlocker.Wipe()
	defer clear(options.Passphrase)
	saved, err := store.Save(ctx, ref, key, unlocker, options)
	if err == nil && f.file == "" && f.dev == "" && !f.stdin {
		err = store.ConfirmBackup(ctx, ref, saved.Account) // its owner typed it
	}
	return madeOf(saved, !options.Plain), err
}

// importPassword is the password of the new file. With --file, --password-file
// is that of the original, which may be why its owner leaves it behind.
func (a *app) importPassword(ctx context.Context, store *keystore.Store, ref keystore.Ref, f importFlags) (*keystore.Unlocker, keystore.SaveOptions, error) {
	if f.file == "" || f.noPassword {
		return a.newPassword(ctx, store, ref, f.noPassword)
	}
	secret, err := f.fresh.password(ctx, a)
	if err != nil {
		return nil, keystore.SaveOptions{}, err
	}
	return a.encrypter(), keystore.SaveOptions{Passphrase: secret}, nil
}

// encrypter is for files that are to be written.
func (a *app) encrypter() *keystore.Unlocker {
	return keystore.NewUnlocker(nil).OnWork(func(keystore.Format) func() {
		return a.busy("encrypting").Stop
	})
}

// secretKey reads the secret and makes its key.
func (a *app) secretKey(ctx context.Context, store *keystore.Store, ref keystore.Ref, f importFlags) (*keystore.Key, error) {
	var scheme tao.Scheme
	if err := scheme.UnmarshalText([]byte(f.scheme)); err != nil {
		return nil, usagef("--scheme: %w", err)
	}
	sources := 0
	for _, on := range []bool{f.stdin, f.file != "", f.dev != ""} {
		if on {
			sources++
		}
	}
	switch {
	case f.path != "" && f.path[0] != '/':
		// Without its slash it would lengthen the name before it: //Alice and
		// stash are not //Alicestash.
		return nil, usagef("--path %q does not begin with / or //", f.path)
	case sources > 1:
		return nil, usagef("--stdin, --file and --dev exclude each other")
	case f.file != "" && f.path != "":
		return nil, usagef("--path derives from a mnemonic or seed, not from the key in a --file")
	case f.file != "":
		return a.importFile(ctx, f.file, keystore.Format(f.format), scheme)
	case f.dev != "":
		return keystore.DevKey(f.dev+f.path, scheme)
	}
	text, err := a.secretText(ctx, f.stdin)
	if err != nil {
		return nil, err
	}
	defer clear(text)
	full := append(bytes.TrimSpace(bytes.Clone(text)), f.path...)
	defer clear(full)
	key, err := keystore.FromURI(full, scheme)
	if is[*keystore.MnemonicError](err) && !f.stdin {
		return nil, a.suggest(ctx, store, ref, text, err)
	}
	return key, err
}

// maxSuggestions bounds how many ways to mend a mnemonic are shown.
const maxSuggestions = 12

// suggest shows, on the terminal alone, which words would make a mistyped
// mnemonic right. It returns the error that led here.
func (a *app) suggest(ctx context.Context, store *keystore.Store, ref keystore.Ref, text []byte, cause error) error {
	var want *tao.Account
	if account, err := store.Account(ref); err == nil {
		want = &account // the address is watched already: only one answer fits
	}
	t, err := a.terminal()
	if err != nil {
		return cause
	}
	found, err := keystore.Corrections(text, want)
	if err != nil || len(found) == 0 {
		return cause
	}
	lines := [][]byte{[]byte("These changes would make it a mnemonic:"), nil}
	for _, c := range found[:min(len(found), maxSuggestions)] {
		line := fmt.Appendf(nil, "  word %d: %s", c.Position, c.Word)
		if c.Word == "" {
			line = fmt.Appendf(nil, "  words %d and %d the other way round", c.Position, c.Position+1)
		}
		lines = append(lines, line)
	}
	defer func() {
		for _, l := range lines {
			clear(l)
		}
	}()
	if err := t.ShowOnce(ctx, lines); err != nil {
		return asInterrupted(err)
	}
	return cause
}

func (a *app) secretText(ctx context.Context, stdin bool) ([]byte, error) {
	if stdin {
		text, err := readAll(a.env.In, "standard input")
		return bytes.TrimSpace(text), err
	}
	t, err := a.terminal()
	if err != nil {
		return nil, usagef("there is no terminal to ask for the secret: pass it with --stdin")
	}
	text, err := t.Secret(ctx, "Mnemonic or seed (not shown)")
	return text, asInterrupted(err)
}
