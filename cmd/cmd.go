// Package cmd is the command line: cobra commands, settings, the terminal's
// questions, exit codes and hints. It has two shapes of command and no third:
//
//   - query reads, returns a value, and has it printed;
//   - transact walks the one road of package tx: plan, preview, consent,
//     passphrase, signature, journal, network, receipt.
//
// A command returns values and errors; only package internal/view prints, only
// exit.go knows exit codes, and only hint.go gives advice.
package cmd

import (
	"context"
	"io"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/tx"
)

// Env is all that the program takes from the world around it.
type Env struct {
	In       io.Reader                      // data, where a command reads some from a pipe
	Out      io.Writer                      // results
	Err      io.Writer                      // what is for people: previews, progress, errors
	Terminal func() (*term.Terminal, error) // opens the terminal, where questions are asked
	Width    func(io.Writer) int            // columns of a stream; 0 if it is no terminal
	Getenv   func(string) string
	Home     string // the user's home folder; "" if there is none
	Now      func() time.Time
	Version  string
}

// Main runs one command line and returns the exit code of exit.go's table.
func Main(ctx context.Context, e *Env, args []string) int {
	a := newApp(e)
	root := a.rootCommand()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	a.close()
	if err == nil {
		return exitDone
	}
	if ctx.Err() != nil && !certain(err) {
		err = errInterrupted // what it broke off is of no interest now
	}
	a.report(err)
	return exitCode(err)
}

// Tree is the tree of commands, for what is generated from it.
func Tree() *cobra.Command {
	return newApp(&Env{Out: io.Discard, Err: io.Discard}).rootCommand()
}

// app is one run of the program.
type app struct {
	env      *Env
	settings settings
	out      outputFlags
	change   changeFlags
	opencl   string   // which devices, of --opencl
	stopped  []func() // what close undoes, last first
	client   *chain.Client

	outcome func(*tx.Receipt) (any, error) // what a command reads from its receipt; nil: the receipt itself
}

func newApp(e *Env) *app {
	return &app{env: e, settings: settings{env: e}}
}

func (a *app) close() {
	for i := len(a.stopped) - 1; i >= 0; i-- {
		a.stopped[i]()
	}
}

func (a *app) rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "taoctl",
		Short: "Hold, send and stake TAO from the terminal",
		Long: `taoctl is a wallet for Bittensor. It keeps keys in the files that btcli uses,
shows exactly what will be signed and what it costs before it asks, and says
for certain what happened.

Results go to standard output, everything for people to standard error, and
questions to the terminal. The exit code says how it ended:

` + exitCodesText(),
		Version:       a.env.Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noCommand,
		PersistentPreRunE: func(*cobra.Command, []string) error {
			_, err := a.out.options()
			return err
		},
		RunE: help,
	}
	root.SetOut(a.env.Out)
	root.SetErr(a.env.Err)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	root.PersistentFlags().BoolVarP(&a.out.json, "json", "", false, "print the result as JSON, and errors too")
	root.PersistentFlags().BoolVarP(&a.out.quiet, "quiet", "q", false, "print no preview and no progress")
	root.AddCommand(
		a.walletCommand(), a.agentCommand(), a.balanceCommand(), a.transferCommand(), a.txCommand(),
		a.callCommand(), a.queryCommand(), a.chainCommand(), a.governanceCommand(),
		a.stakeCommand(), a.delegateCommand(), a.subnetCommand(),
		a.registerCommand(), a.powCommand(), a.policyCommand(), a.devnetCommand(), a.demoCommand(),
	)
	return root
}

// noCommand answers a word that names no command.
func noCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if c.HasSubCommands() {
		return usagef("%q is no command of %s", args[0], c.CommandPath())
	}
	return usagef("%s takes no arguments", c.CommandPath())
}

// group makes a command that only holds others.
func group(use, short string, subs ...*cobra.Command) *cobra.Command {
	c := &cobra.Command{Use: use, Short: short, Args: noCommand, RunE: help}
	c.AddCommand(subs...)
	return c
}

// help is what a command does that only holds others. Without it cobra prints
// help too, but takes any word for an argument.
func help(c *cobra.Command, _ []string) error { return c.Help() }
