package cmd

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// callFlags name the arguments of a call and who signs it.
type callFlags struct {
	args     string
	asHotkey bool
}

func (f *callFlags) add(c *cobra.Command) {
	c.Flags().StringVar(&f.args, "args", "", "all arguments as one JSON object, instead of key=value")
}

const callHelp = `The call is named as the chain names it, PALLET.CALL, and its arguments as
key=value: numbers as they are (amounts in rao), accounts as addresses, bytes as
0x and hex digits, and anything nested as JSON. --args takes them all as one
JSON object, in which a nested call is {"call": "PALLET.CALL", "args": {…}}.`

func (a *app) callCommand() *cobra.Command {
	var f callFlags
	c := &cobra.Command{
		Use:   "call PALLET.CALL [KEY=VALUE]...",
		Short: "Make any call that the chain knows",
		Long:  "Make any call of the connected runtime, signed by the wallet's coldkey.\n" + callHelp,
		Example: `  taoctl call System.remark_with_event remark=0x68656c6c6f
  taoctl call Balances.transfer_keep_alive dest=5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty value=1000000000
  taoctl call Utility.batch_all --args '{"calls": [{"call": "System.remark", "args": {"remark": "0x00"}}]}'`,
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	f.add(c)
	c.Flags().BoolVar(&f.asHotkey, "as-hotkey", false, "sign with the hotkey instead of the coldkey")
	a.hotkeyFlag(c)
	return a.transact(c, func(c *cobra.Command, v *chain.View, args []string) (tx.Plan, error) {
		call, err := f.call(args)
		if err != nil {
			return tx.Plan{}, err
		}
		if err := v.Runtime().Check(call); err != nil {
			return tx.Plan{}, err
		}
		signer, err := a.signer(c.Context(), f.asHotkey)
		return tx.Plan{Call: call, Signer: signer}, err
	})
}

// signer is the account of the chosen wallet's coldkey or hotkey.
func (a *app) signer(ctx context.Context, hotkey bool) (tao.Account, error) {
	w, err := a.chosenWallet(ctx)
	if err != nil || !hotkey {
		return w.Coldkey, err
	}
	return a.hotkey(w)
}

// call reads PALLET.CALL and its arguments.
func (f *callFlags) call(args []string) (chain.Call, error) {
	pallet, name, err := dotted(args[0], "PALLET.CALL")
	if err != nil {
		return chain.Call{}, err
	}
	c := chain.Call{Pallet: pallet, Name: name}
	c.Args, err = f.arguments(args[1:])
	return c, err
}

func dotted(s, form string) (before, after string, err error) {
	before, after, ok := strings.Cut(s, ".")
	if !ok || before == "" || after == "" {
		return "", "", usagef("%q is not of the form %s", s, form)
	}
	return before, after, nil
}

func (f *callFlags) arguments(pairs []string) (chain.Args, error) {
	if f.args != "" {
		if len(pairs) > 0 {
			return nil, usagef("--args holds all arguments: leave out %s", pairs[0])
		}
		v, err := scale.ParseJSON(f.args)
		if err != nil {
			return nil, usagef("--args: %w", err)
		}
		object, ok := v.(map[string]any)
		if !ok {
			return nil, usagef("--args is not a JSON object")
		}
		return object, nil
	}
	list := chain.Args{}
	for _, pair := range pairs {
		key, text, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, usagef("argument %q is not of the form KEY=VALUE", pair)
		}
		if _, twice := list[key]; twice {
			return nil, usagef("argument %q is given twice", key)
		}
		value, err := typed(text)
		if err != nil {
			return nil, usagef("argument %q: %w", key, err)
		}
		list[key] = value
	}
	return list, nil
}

// typed reads one value of the command line: JSON where it is nested, else a
// text that the target's type will read.
func typed(text string) (any, error) {
	if strings.HasPrefix(text, "{") || strings.HasPrefix(text, "[") {
		return scale.ParseJSON(text)
	}
	return scale.Text(text), nil
}
