package cmd

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/balance"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// holdings is the result of the balance commands.
type holdings struct {
	Block    uint32     `json:"block"`
	Accounts []holding  `json:"accounts"`
	Total    tao.Amount `json:"total" view:"total (TAO)"`
}

type holding struct {
	Name string `json:"name,omitempty"` // the wallet's, where it is one of ours
	balance.Holding
}

// owner is an account to look at, with the name it goes by here.
type owner struct {
	name    string
	account tao.Account
}

func (a *app) balanceCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "balance [WALLET | ADDRESS]...",
		Short: "Show what accounts hold in TAO",
		Long: `Show free, locked and reserved TAO of accounts at the newest block: of the
wallets and addresses named, or of the chosen wallet. Amounts are in TAO.`,
		Example: "  taoctl balance\n  taoctl balance alice 5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY",
	}
	a.networkFlags(c)
	a.walletFlags(c)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		if len(args) == 0 {
			w, err := a.chosenWallet(c.Context())
			if err != nil {
				return nil, err
			}
			args = []string{w.name}
		}
		owners := make([]owner, len(args))
		for i, arg := range args {
			var err error
			if owners[i], err = a.owner(arg); err != nil {
				return nil, err
			}
		}
		return a.holdings(c, owners)
	})
}

// owner reads an argument that is a wallet's name or an address.
func (a *app) owner(arg string) (owner, error) {
	if looksLikeAddress(arg) {
		account, err := tao.ParseAccount(arg)
		return owner{account: account}, err
	}
	w, err := a.wallet(arg)
	return owner{name: arg, account: w.Coldkey}, err
}

// looksLikeAddress tells an address, perhaps a mistyped one, from a wallet's
// name by its length.
func looksLikeAddress(s string) bool { return len(s) >= 40 }

func (a *app) holdings(c *cobra.Command, owners []owner) (any, error) {
	v, err := a.best(c)
	if err != nil {
		return nil, err
	}
	accounts := make([]tao.Account, len(owners))
	for i, o := range owners {
		accounts[i] = o.account
	}
	list, err := balance.Of(c.Context(), v, accounts...)
	if err != nil {
		return nil, err
	}
	result := holdings{Block: v.Number(), Accounts: make([]holding, len(list))}
	seen := map[tao.Account]bool{}
	for i, h := range list {
		result.Accounts[i] = holding{Name: owners[i].name, Holding: h}
		if !seen[h.Account] {
			result.Total, _ = result.Total.Add(h.Total) // parts of the whole issuance, which fits
		}
		seen[h.Account] = true
	}
	return result, nil
}

func (a *app) transferCommand() *cobra.Command {
	var t balance.Transfer
	c := &cobra.Command{
		Use:   "transfer DEST AMOUNT|all",
		Short: "Send TAO to another account",
		Long: `Send TAO from the wallet's coldkey to an address. The amount is in TAO, or
"all" for everything that may leave after the fee. The sender's account is kept
alive unless --allow-death is given.`,
		Example: `  taoctl transfer 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty 1.5
  taoctl transfer 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty all --allow-death
  taoctl transfer --dry-run --json 5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty 1.5`,
		Args: arguments(cobra.ExactArgs(2)),
		PreRunE: func(_ *cobra.Command, args []string) (err error) {
			return readTransfer(&t, args)
		},
	}
	c.Flags().BoolVar(&t.AllowDeath, "allow-death", false, "let the sender's account be removed if less than the existential deposit is left")
	return a.transact(c, func(c *cobra.Command, v *chain.View, _ []string) (tx.Plan, error) {
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return tx.Plan{}, err
		}
		t.From = w.Coldkey
		return t.Plan(c.Context(), v)
	})
}

// readTransfer reads the arguments before anything else happens.
func readTransfer(t *balance.Transfer, args []string) (err error) {
	if t.To, err = tao.ParseAccount(args[0]); err != nil {
		return fmt.Errorf("destination: %w", err)
	}
	if args[1] == "all" {
		t.All = true
		return nil
	}
	if t.Amount, err = tao.ParseAmount(args[1]); err != nil {
		return err
	}
	if t.Amount == 0 {
		return usagef("a transfer of 0 TAO moves nothing")
	}
	return nil
}
