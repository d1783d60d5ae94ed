package cmd

import (
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tx"
)

// settings are the choices that commands share. A flag wins over the
// environment, the environment over the default.
type settings struct {
	env *Env

	network, wallet, hotkey, walletPath string
	endpoints                           []string
	genesis                             string
	passwordFile, passwordCommand       string
	passwordKeyring, noAgent            bool
}

// Environment variables; the names are btcli's where it has one.
const (
	envNetwork         = "BT_NETWORK"
	envFallbacks       = "BT_FALLBACK_ENDPOINTS" // separated by commas
	envWallet          = "BT_WALLET"
	envHotkey          = "BT_WALLET_HOTKEY"
	envWalletPath      = "BT_WALLET_PATH"
	envPasswordFile    = "BT_WALLET_PASSWORD_FILE"
	envPasswordKeyring = "TAOCTL_PASSWORD_KEYRING"
	envHome            = "TAOCTL_HOME" // the folder of the journal and the cache
)

// or returns the flag's value, the environment's, or the default.
func (s *settings) or(flag, variable, fallback string) string {
	if flag != "" {
		return flag
	}
	if v := s.env.Getenv(variable); v != "" {
		return v
	}
	return fallback
}

// networkFlags are those of a command that reads the chain.
func (a *app) networkFlags(c *cobra.Command) {
	f, s := c.Flags(), &a.settings
	f.StringVarP(&s.network, "network", "n", "", "finney, test, archive, local, or a ws, wss, http or https URL (default finney; "+envNetwork+")")
	f.StringArrayVar(&s.endpoints, "endpoint", nil, "a further node of the same network, tried where the first fails ("+envFallbacks+")")
	f.StringVar(&s.genesis, "genesis-hash", "", "accept only the chain with this hash of block 0")
}

// walletFlags are those of a command that reads or uses keys.
func (a *app) walletFlags(c *cobra.Command) {
	f, s := c.Flags(), &a.settings
	f.StringVarP(&s.wallet, "wallet", "w", "", "name of the wallet (default \"default\"; "+envWallet+")")
	f.StringVar(&s.walletPath, "wallet-path", "", "folder of the wallets (default ~/.bittensor/wallets; "+envWalletPath+")")
}

// hotkeyFlag is for commands that use a hotkey.
func (a *app) hotkeyFlag(c *cobra.Command) {
	c.Flags().StringVarP(&a.settings.hotkey, "hotkey", "H", "", "name of the hotkey (default \"default\"; "+envHotkey+")")
}

// passwordFlags are those of a command that opens a key. No flag holds a
// password: arguments are seen by every user of the machine.
func (a *app) passwordFlags(c *cobra.Command) {
	f, s := c.Flags(), &a.settings
	f.StringVar(&s.passwordFile, "password-file", "", "read the password from the first line of this file ("+envPasswordFile+")")
	f.StringVar(&s.passwordCommand, "password-command", "", "read the password from the first line that this command prints")
	f.BoolVar(&s.passwordKeyring, "password-keyring", false, "take the password from the system's keyring ("+envPasswordKeyring+"=1)")
}

// dial opens the chosen network once.
func (a *app) dial(c *cobra.Command) (*chain.Client, error) {
	if a.client != nil {
		return a.client, nil
	}
	s := &a.settings
	network, err := chain.Lookup(s.or(s.network, envNetwork, "finney"))
	if err != nil {
		return nil, err
	}
	fallbacks := s.endpoints
	if list := s.env.Getenv(envFallbacks); len(fallbacks) == 0 && list != "" {
		fallbacks = strings.Split(list, ",")
	}
	options := []chain.Option{chain.WithFallback(fallbacks...)}
	if s.genesis != "" {
		hash, err := parseHash("--genesis-hash", s.genesis)
		if err != nil {
			return nil, err
		}
		options = append(options, chain.WithGenesis(hash))
	}
	if home, err := s.home(); err == nil {
		options = append(options, chain.WithCache(filepath.Join(home, "cache", "metadata")))
	}
	spin := a.busy("connecting to " + network.Name)
	defer spin.Stop()
	client, err := chain.DialNetwork(c.Context(), network, options...)
	if err != nil {
		return nil, err
	}
	a.client = client
	a.stopped = append(a.stopped, func() { client.Close() })
	return client, nil
}

// best is a view of the newest block.
func (a *app) best(c *cobra.Command) (*chain.View, error) {
	client, err := a.dial(c)
	if err != nil {
		return nil, err
	}
	return client.At(c.Context(), chain.Best())
}

// home is the folder of the journal and the cache, ~/.taoctl.
func (s *settings) home() (string, error) {
	if dir := s.env.Getenv(envHome); dir != "" {
		return dir, nil
	}
	if s.env.Home == "" {
		return "", usagef("there is no home folder: set %s to a folder for the journal", envHome)
	}
	return filepath.Join(s.env.Home, ".taoctl"), nil
}

// journal is the list of everything that was ever signed here.
func (a *app) journal() (*tx.Journal, error) {
	home, err := a.settings.home()
	if err != nil {
		return nil, err
	}
	return tx.OpenJournal(filepath.Join(home, "journal.jsonl"), a.env.Now), nil
}

// store is the folder of the wallets.
func (a *app) store() (*keystore.Store, error) {
	dir := a.settings.or(a.settings.walletPath, envWalletPath, "")
	switch {
	case dir == "" && a.settings.env.Home == "":
		return nil, usagef("there is no home folder: name the wallets' folder with --wallet-path")
	case dir == "":
		dir = filepath.Join(a.env.Home, ".bittensor", "wallets")
	case dir == "~" || strings.HasPrefix(dir, "~"+string(os.PathSeparator)) || strings.HasPrefix(dir, "~/"):
		dir = filepath.Join(a.env.Home, dir[1:])
	}
	return keystore.Open(dir), nil
}

func (a *app) walletName() string { return a.settings.or(a.settings.wallet, envWallet, "default") }
func (a *app) hotkeyName() string { return a.settings.or(a.settings.hotkey, envHotkey, "default") }

// terminal opens the person's terminal once.
func (a *app) terminal() (*term.Terminal, error) { return a.env.Terminal() }
