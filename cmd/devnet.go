package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/devnet"
	"github.com/taoctl/taoctl/devnet/embedded"
	"github.com/taoctl/taoctl/tao"
)

// devnetFlags say which chain runs, and how.
type devnetFlags struct {
	spec     string
	port     uint16
	block    string
	finality uint32
	asIs     bool
	genesis  string
}

// devnetReady is what a chain that answers is.
type devnetReady struct {
	URL      string       `json:"url" view:"URL"`
	Chain    string       `json:"chain"`
	Runtime  string       `json:"runtime"`
	Spec     uint32       `json:"spec_version" view:"spec version"`
	Tx       uint32       `json:"tx_version" view:"tx version"`
	Genesis  tao.Hash     `json:"genesis"`
	Slot     string       `json:"slot"` // between blocks, by the chain's clock
	Accounts []devAccount `json:"accounts,omitempty"`
}

type devAccount struct {
	Name    string      `json:"name"`
	Account tao.Account `json:"account"`
	Key     string      `json:"key"`
}

func (a *app) devnetCommand() *cobra.Command {
	var f devnetFlags
	c := &cobra.Command{
		Use:   "devnet",
		Short: "Run a chain of your own, on this machine alone",
		Long: `Run a chain in this process until Ctrl-C, and serve it on the loopback interface
as a node serves it: taoctl and polkadot.js connect to it. Everything is in memory.
Development accounts with known keys have money.

By itself it is a chain whose runtime is written in Go and is part of this program:
balances, staking and registration as Bittensor has them. With --chainspec it runs
that chain's own runtime, from a raw chain spec or a plain one, and one subnet is
opened; --as-is leaves such a chain as its spec has it.

Blocks are made as soon as there is a transaction, or by --block at an interval
("12s") or by hand ("manual", with the method dev_newBlock).`,
		Example: "  taoctl devnet\n  taoctl devnet --chainspec aura-dev.json --block 12s\n  taoctl devnet --port 0 --finality 3 --json",
		Args:    arguments(cobra.NoArgs),
	}
	flags := c.Flags()
	flags.StringVar(&f.spec, "chainspec", "", "the chain spec whose runtime runs")
	flags.Uint16Var(&f.port, "port", 9944, "the port on 127.0.0.1; 0 is any that is free")
	flags.StringVar(&f.block, "block", "instant", "when blocks are made: instant, manual, or every so long")
	flags.Uint32Var(&f.finality, "finality", 0, "how many blocks the finalized head is behind the best one")
	flags.BoolVar(&f.asIs, "as-is", false, "give nobody money, open nothing")
	flags.StringVar(&f.genesis, "genesis-time", "", "the time of block 0, as 2026-01-31T12:00:00Z; the same chain has the same hashes then (default now)")
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, _ []string) error { return a.runDevnet(c.Context(), f) }
	return c
}

// options read what the flags say of the chain's ways.
func (f devnetFlags) options() (devnet.Options, error) {
	o := devnet.Options{Lag: f.finality}
	switch f.block {
	case "instant":
	case "manual":
		o.Manual = true
	default:
		every, err := time.ParseDuration(f.block)
		if err != nil || every < 10*time.Millisecond {
			return o, usagef("--block %q is neither instant nor manual nor a time of 10ms or more", f.block)
		}
		o.Every = every
	}
	if f.genesis != "" {
		at, err := time.Parse(time.RFC3339, f.genesis)
		if err != nil {
			return o, usagef("--genesis-time %q is not written as 2026-01-31T12:00:00Z", f.genesis)
		}
		o.Genesis = at
	}
	return o, nil
}

func (a *app) runDevnet(ctx context.Context, f devnetFlags) (err error) {
	o, err := f.options()
	if err != nil {
		return err
	}
	if f.asIs && f.spec == "" {
		return usagef("--as-is is about a chain spec")
	}
	l, err := devnet.Listen(ctx, f.port)
	if err != nil {
		return err
	}
	defer l.Close() // Serve does it too
	net, stop, err := startDevnet(ctx, f, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	s := net.Status()
	ready := devnetReady{
		URL: "ws://" + l.Addr().String(), Chain: s.Name, Runtime: s.Spec.String(), Spec: s.Spec.SpecVersion, Tx: s.Spec.TxVersion,
		Genesis: s.Genesis, Slot: s.Slot.String(),
	}
	if !f.asIs || f.spec == "" {
		for _, d := range devnet.Accounts() {
			ready.Accounts = append(ready.Accounts, devAccount{d.Name, d.Account, "//" + d.Name})
		}
	}
	if err := a.show(ready); err != nil {
		return err
	}
	a.say("Ctrl-C ends it")
	return net.Serve(ctx, l)
}

// startDevnet starts the chain, and has it make its first block: one that cannot
// should say so now.
func startDevnet(ctx context.Context, f devnetFlags, o devnet.Options) (net *devnet.Chain, stop func() error, err error) {
	engine, stored, stop, err := devnetEngine(ctx, f, &o)
	if err == nil {
		net, err = devnet.New(ctx, engine, stored, o)
	}
	if err == nil {
		closeEngine := stop
		stop = func() error { return errors.Join(net.Close(), closeEngine()) }
		_, err = net.Build(ctx)
	}
	if err == nil {
		return net, stop, nil
	}
	if f.spec != "" {
		err = fmt.Errorf("%s: %w", f.spec, err)
	}
	return nil, nil, errors.Join(err, stop())
}

// devnetEngine is the runtime that was asked for, with the state that its chain
// begins with.
func devnetEngine(ctx context.Context, f devnetFlags, o *devnet.Options) (_ devnet.Engine, stored map[string][]byte, stop func() error, err error) {
	stop = func() error { return nil }
	if f.spec == "" {
		var accounts []tao.Account
		for _, a := range devnet.Accounts() {
			accounts = append(accounts, a.Account)
		}
		o.Name = "taoctl devnet"
		engine := embedded.New()
		return engine, engine.Stored(embedded.Development(accounts)), stop, nil
	}
	file, err := os.Open(f.spec)
	if err != nil {
		return nil, nil, stop, err
	}
	defer file.Close()
	spec, err := devnet.ReadSpec(ctx, file)
	if err != nil {
		return nil, nil, stop, err
	}
	o.Name = spec.Name
	engine := devnet.NewReal()
	if !f.asIs {
		err = spec.Open(ctx, engine)
	}
	return engine, spec.Stored, engine.Close, err
}
