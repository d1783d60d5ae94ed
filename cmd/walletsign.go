package cmd

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/agent"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// messageFlags say where a message comes from and how it is signed.
type messageFlags struct {
	file string
	hex  bool
	raw  bool
}

func (f *messageFlags) add(c *cobra.Command) {
	fl := c.Flags()
	fl.StringVar(&f.file, "file", "", "the message is in this file; \"-\" is standard input")
	fl.BoolVar(&f.hex, "hex", false, "the message is written as 0x and hex digits")
}

// message reads the message from the arguments or the file.
func (f *messageFlags) message(a *app, args []string) ([]byte, error) {
	switch {
	case f.file != "" && len(args) > 0:
		return nil, usagef("the message is in --file: leave out %q", args[0])
	case f.file != "" && f.hex:
		return nil, usagef("--hex is for a message in the arguments: a --file is taken as it is")
	case f.file != "":
		return a.readFile(f.file)
	case len(args) == 0:
		return nil, usagef("there is no message: write it behind the name, or name a --file")
	case f.hex:
		return hexBytes(args[0])
	}
	return []byte(args[0]), nil
}

// signature is the result of wallet sign.
type signature struct {
	Address   tao.Account `json:"address"`
	Scheme    tao.Scheme  `json:"scheme"`
	Wrapped   bool        `json:"wrapped"` // <Bytes> and </Bytes> were put around the message
	Signature tx.HexBytes `json:"signature"`
}

const wrapHelp = `A message is signed with <Bytes> and </Bytes> around it, as browser wallets do: so it
can never be a transaction in disguise. --raw signs it as it is, as btcli does;
a message that could be a transaction is refused all the same.`

func (a *app) walletSignCommand() *cobra.Command {
	var f messageFlags
	c := &cobra.Command{
		Use:     "sign NAME[/HOTKEY] [MESSAGE]",
		Short:   "Sign a message with a key",
		Long:    "Sign a message, to prove that a key is yours.\n" + wrapHelp,
		Example: "  taoctl wallet sign alice \"I own this account\"\n  taoctl wallet sign alice/default --file challenge.txt --raw",
		Args:    arguments(cobra.RangeArgs(1, 2)),
	}
	a.walletFlags(c)
	a.passwordFlags(c)
	a.agentFlag(c)
	f.add(c)
	c.Flags().BoolVar(&f.raw, "raw", false, "sign the message as it is, as btcli does")
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		message, err := f.message(a, args[1:])
		if err != nil {
			return nil, err
		}
		if !f.raw {
			message = keystore.WrapBytes(message)
		} else if looksLikePayload(message) {
			return nil, fmt.Errorf("the message holds bytes that are no text: raw, it could be a transaction; leave out --raw")
		}
		key, err := a.messageSigner(c, args[0], len(message))
		if err != nil {
			return nil, err
		}
		defer key.Wipe()
		s, err := key.Sign(c.Context(), message)
		return signature{Address: key.Account(), Scheme: s.Scheme, Wrapped: !f.raw, Signature: s.Bytes}, err
	})
}

// looksLikePayload tells what no person writes from text. Every transaction's
// payload holds bytes below space, at the latest in its version numbers; a hash
// of 32 bytes, which stands for a longer payload, nearly always does.
func looksLikePayload(message []byte) bool {
	for _, b := range message {
		if b < ' ' && b != '\n' && b != '\r' && b != '\t' {
			return true
		}
	}
	return len(message) == 32 && strings.ToValidUTF8(string(message), "\x00") != string(message)
}

// messageSigner signs with the key of a name, through the agent where it holds
// that key and takes a message of this many bytes.
func (a *app) messageSigner(c *cobra.Command, name string, size int) (signer, error) {
	ref, store, err := a.refAndStore(name)
	if err != nil {
		return nil, err
	}
	// A key whose public file is missing or bad has to be opened to be known.
	if account, err := store.Account(ref); err == nil && size <= agent.MaxMessage {
		if s, err := a.agentSigner(c.Context(), account); s != nil || err != nil {
			return s, err
		}
	}
	return a.openKey(c, name)
}

// openKey opens a key by its name.
func (a *app) openKey(c *cobra.Command, name string) (*keystore.Key, error) {
	ref, store, err := a.refAndStore(name)
	if err != nil {
		return nil, err
	}
	unlocker := a.unlocker(c.Context(), store.Path(ref))
	defer unlocker.Wipe()
	return store.Unlock(c.Context(), ref, unlocker)
}

// verification is the result of wallet verify.
type verification struct {
	Address tao.Account `json:"address"`
	Valid   bool        `json:"valid"`
	Scheme  string      `json:"scheme,omitempty"`
	Wrapped bool        `json:"wrapped"`
}

// errInvalidSignature makes the exit code say what the result says.
var errInvalidSignature = errors.New("the signature is not one of this account over this message")

func (a *app) walletVerifyCommand() *cobra.Command {
	var f messageFlags
	c := &cobra.Command{
		Use:     "verify ADDRESS|NAME[/HOTKEY] SIGNATURE [MESSAGE]",
		Short:   "Verify a signature over a message",
		Long:    "Verify a signature by the account over the message, wrapped in <Bytes> or not, sr25519\nor ed25519. The exit code is 0 if it is valid, 1 if not.",
		Example: "  taoctl wallet verify 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY 0x… \"I own this account\"",
		Args:    arguments(cobra.RangeArgs(2, 3)),
	}
	a.walletFlags(c)
	f.add(c)
	return a.query(c, func(_ *cobra.Command, args []string) (any, error) {
		account, err := a.accountOf(args[0])
		if err != nil {
			return nil, err
		}
		sig, err := hex.DecodeString(strings.TrimPrefix(args[1], "0x"))
		if err != nil {
			return nil, usagef("the signature is not hex")
		}
		message, err := f.message(a, args[2:])
		if err != nil {
			return nil, err
		}
		v := verify(account, sig, message)
		if !v.Valid {
			return v, verdict{errInvalidSignature}
		}
		return v, nil
	})
}

// verify tries the schemes and the two forms of the message.
func verify(account tao.Account, sig, message []byte) verification {
	for _, scheme := range []tao.Scheme{tao.Sr25519, tao.Ed25519} {
		for _, wrapped := range []bool{false, true} {
			m := message
			if wrapped {
				m = keystore.WrapBytes(message)
			}
			if keystore.Verify(account, m, tao.Signature{Scheme: scheme, Bytes: sig}) == nil {
				return verification{Address: account, Valid: true, Scheme: scheme.String(), Wrapped: wrapped}
			}
		}
	}
	return verification{Address: account}
}

// accountOf reads an argument that is an address or a key's name.
func (a *app) accountOf(arg string) (tao.Account, error) {
	if looksLikeAddress(arg) {
		return tao.ParseAccount(arg)
	}
	ref, store, err := a.refAndStore(arg)
	if err != nil {
		return tao.Account{}, err
	}
	return store.Account(ref)
}
