package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/agent"
	"github.com/taoctl/taoctl/devnet"
	"github.com/taoctl/taoctl/internal/term"
)

func (a *app) demoCommand() *cobra.Command {
	var fast bool
	c := &cobra.Command{
		Use:   "demo",
		Short: "See the whole of taoctl at work, on a chain of its own",
		Long: `Start a chain on this machine ("taoctl devnet"), make wallets in a temporary
folder, and go through what the program is for: money, registration, staking, what
goes wrong and what the journal knows of it. Every command is run as it is shown,
and nothing stays behind.`,
		Example: "  taoctl demo\n  taoctl demo --fast",
		Args:    arguments(cobra.NoArgs),
	}
	c.Flags().BoolVar(&fast, "fast", false, "do not pause between the commands")
	c.RunE = func(c *cobra.Command, _ []string) error { return a.runDemo(c.Context(), fast) }
	return c
}

// demoPause gives a person at a terminal time to read.
const demoPause = 400 * time.Millisecond

// demo runs commands of this program against a chain of its own.
type demo struct {
	ctx   context.Context
	env   Env // what the commands see: nothing of the person's own
	pause time.Duration
	json  bool
}

func (a *app) runDemo(ctx context.Context, fast bool) (err error) {
	dir, err := os.MkdirTemp("", "taoctl-demo")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	url, stop, err := demoChain(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	if err := os.WriteFile(filepath.Join(dir, "password"), []byte("a password for half a minute\n"), 0o600); err != nil {
		return err
	}
	d := &demo{ctx: ctx, env: a.demoEnv(dir, url), json: a.out.json}
	if !fast && a.env.Width(a.env.Out) > 0 {
		d.pause = demoPause
	}
	return d.run(dir)
}

// demoEnv is a world with a home of its own, and nobody at a terminal. What is for
// people goes where results go, so that each command's output stays together.
func (a *app) demoEnv(dir, url string) Env {
	e := *a.env
	e.In, e.Err, e.Home = strings.NewReader(""), e.Out, dir
	e.Terminal = func() (*term.Terminal, error) { return nil, term.ErrNoTerminal }
	e.Getenv = func(name string) string {
		switch name {
		case envNetwork:
			return url
		case envPasswordFile:
			return filepath.Join(dir, "password")
		}
		return ""
	}
	return e
}

// demoChain is a devnet on a port that is free.
func demoChain(ctx context.Context) (url string, stop func() error, err error) {
	l, err := devnet.Listen(ctx, 0)
	if err != nil {
		return "", nil, err
	}
	chain, end, err := startDevnet(ctx, devnetFlags{}, devnet.Options{})
	if err != nil {
		return "", nil, errors.Join(err, l.Close())
	}
	ctx, cancel := context.WithCancel(ctx)
	served := make(chan error, 1)
	go func() { served <- chain.Serve(ctx, l) }()
	return "ws://" + l.Addr().String(), func() error {
		cancel()
		return errors.Join(<-served, end())
	}, nil
}

// demoStep is a command with what is said about it before, and the exit code that it
// is to end with.
type demoStep struct {
	about string
	args  string
	code  int
}

func (d *demo) run(dir string) error {
	for _, s := range []demoStep{
		{about: "A chain of Bittensor's kind runs in this process. This is what it says of itself."},
		{args: "chain info"},
		{about: "A wallet: a coldkey that owns money, a hotkey that works. Both are encrypted; the words that bring\nthem back go into a file here, and are shown once on a terminal.",
			args: "wallet create alice --mnemonic-file " + filepath.Join(dir, "mnemonics")},
		{about: "Money comes from an account whose key everybody knows, as on every development chain.",
			args: "wallet import bank --dev //Alice --no-password"},
	} {
		if err := d.step(s); err != nil {
			return err
		}
	}
	stop, err := d.holdKeys()
	if err != nil {
		return err
	}
	defer stop()
	alice, err := d.address("alice")
	if err != nil {
		return err
	}
	bank, err := d.address("bank")
	if err != nil {
		return err
	}
	for _, s := range demoSteps(alice, bank) {
		if err := d.step(s); err != nil {
			return err
		}
	}
	return nil
}

func demoSteps(alice, bank string) []demoStep {
	return []demoStep{
		{about: "Each change shows what will be signed, decoded from the very bytes, and what it costs. --yes agrees beforehand.",
			args: "transfer -w bank " + alice + " 200 --yes"},
		{args: "balance alice"},
		{about: "The subnets, and what a place on one costs.", args: "subnet list"},
		{args: "register cost 1"},
		{about: "A place for TAO, never for more than was agreed to: the limit is in the call.",
			args: "register burn 1 default -w alice --max-price 1.5 --yes"},
		{about: "A place for work. The search uses all cores and follows the chain; nothing is burned.",
			args: "wallet hotkey import alice/worker --dev //worker --no-password"},
		{args: "register pow 1 worker -w alice --yes"},
		{about: "What staking would come to, slippage and fee included.", args: "stake quote 50 --netuid 1"},
		{about: "The price agreed to is in the call: it fills at that price, or not at all.",
			args: "stake add 50 default --netuid 1 --tolerance 2% -w alice --yes"},
		{args: "stake swap 20 default --netuid 1 --to-netuid 2 --tolerance 5% -w alice --yes"},
		{about: "Part of it goes to another hotkey of the wallet.", args: "stake move 10 worker -H default --netuid 1 -w alice --yes"},
		{args: "stake list alice"},
		{about: "Who decides on this chain. The known account proposes a change here; what it would do is shown, and voted on.",
			args: "governance status -w bank"},
		{args: "governance propose AdminUtils.sudo_set_tempo netuid=1 tempo=99 -w bank --yes"},
		{args: "governance show 0"},
		{args: "governance vote 0 aye -w bank --yes"},
		{about: "More than there is: refused before anything is signed (exit code 1).",
			args: "transfer -w alice " + bank + " 5000 --yes", code: exitFailed},
		{about: "The same, forced past that check: the chain refuses it and keeps its fee (exit code 5).",
			args: "call Balances.transfer_keep_alive dest=" + bank + " value=5000000000000 -w alice --yes", code: exitRefused},
		{about: "The journal knows every transaction that was signed here, before the network did.", args: "tx list"},
	}
}

// step shows a command and runs it. Another end than the one
// foretold ends the demo: it would show something else than it says.
func (d *demo) step(s demoStep) error {
	args := strings.Fields(s.args)
	if d.json && len(args) > 0 {
		args = append(args, "--json")
	}
	d.show(s.about, strings.Join(args, " "))
	if len(args) == 0 {
		return nil
	}
	code := Main(d.ctx, &d.env, args)
	if d.ctx.Err() != nil {
		return d.ctx.Err()
	}
	if code != s.code {
		return fmt.Errorf("the command above ended with exit code %d instead of %d", code, s.code)
	}
	select {
	case <-time.After(d.pause):
	case <-d.ctx.Done():
	}
	return d.ctx.Err()
}

// holdKeys starts the unlock agent beside the demo, where the system has one: to open
// a key takes seconds, so that guessing its password takes years.
func (d *demo) holdKeys() (stop func(), err error) {
	if !agent.Supported() {
		return func() {}, nil
	}
	d.show("Opening a key takes seconds, so that guessing takes years. The agent holds it for a while.", "agent start alice --for 10m")
	ctx, cancel := context.WithCancel(d.ctx)
	ready, done := make(chan struct{}), make(chan int, 1)
	e := d.env
	var complaint bytes.Buffer
	e.Out, e.Err = &firstWrite{Writer: d.env.Out, happened: ready}, &complaint
	go func() { done <- Main(ctx, &e, []string{"agent", "start", "alice", "--for", "10m"}) }()
	select {
	case <-ready:
		return func() { cancel(); <-done }, nil
	case <-done: // each command opens the key itself then
		cancel()
		if d.ctx.Err() == nil {
			_, err = complaint.WriteTo(d.env.Out)
		}
		return func() {}, errors.Join(err, d.ctx.Err())
	}
}

// firstWrite tells when something is written for the first time.
type firstWrite struct {
	io.Writer
	once     sync.Once
	happened chan struct{}
}

func (w *firstWrite) Write(b []byte) (int, error) {
	n, err := w.Writer.Write(b)
	w.once.Do(func() { close(w.happened) })
	return n, err
}

// show says what comes, and the command.
func (d *demo) show(about, command string) {
	if about != "" {
		fmt.Fprintf(d.env.Out, "\n# %s\n", strings.ReplaceAll(about, "\n", "\n# "))
	}
	if command != "" {
		fmt.Fprintf(d.env.Out, "\n$ taoctl %s\n", command)
	}
}

// address is that of a wallet's coldkey.
func (d *demo) address(wallet string) (string, error) {
	var out bytes.Buffer
	e := d.env
	e.Out, e.Err = &out, io.Discard
	if code := Main(d.ctx, &e, []string{"wallet", "show", wallet, "--json"}); code != exitDone {
		return "", fmt.Errorf("wallet show %s ended with exit code %d", wallet, code)
	}
	var shown struct{ Address string }
	err := json.Unmarshal(out.Bytes(), &shown)
	return shown.Address, err
}
