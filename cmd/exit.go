package cmd

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/agent"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/governance"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/policy"
	"github.com/taoctl/taoctl/register"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Exit codes. They are a promise to scripts.
const (
	exitDone        = 0
	exitFailed      = 1
	exitUsage       = 2
	exitDeclined    = 3
	exitLocked      = 4
	exitRefused     = 5
	exitUnknown     = 6
	exitUnreachable = 7
	exitPartial     = 8
	exitVote        = 10
	exitInterrupted = 130
)

// exitTable is the promise in words, for help and man pages.
var exitTable = []struct {
	Code    int
	Meaning string
}{
	{exitDone, "done"},
	{exitFailed, "failed; nothing was sent"},
	{exitUsage, "wrong usage"},
	{exitDeclined, "declined, or nobody there to agree: nothing was sent"},
	{exitLocked, "key locked or missing, or a wrong passphrase"},
	{exitRefused, "refused by the chain; a fee may have been paid"},
	{exitUnknown, "outcome unknown: do not repeat it, run \"taoctl tx status\""},
	{exitUnreachable, "node unreachable, on another chain, or without the feature"},
	{exitPartial, "some of it was sent, the rest was not: the result says what"},
	{exitVote, "a proposal waits for this wallet's vote"},
	{exitInterrupted, "interrupted before anything was sent"},
}

// exitCodesText is the table for help and man pages.
func exitCodesText() string {
	var b strings.Builder
	for _, e := range exitTable {
		fmt.Fprintf(&b, "  %3d  %s\n", e.Code, e.Meaning)
	}
	return strings.TrimRight(b.String(), "\n")
}

// errInterrupted is the person's Ctrl-C.
var errInterrupted = errors.New("interrupted; nothing was sent")

// errDeclined is the person's no.
var errDeclined = errors.New("declined; nothing was sent")

// consentError says that consent is needed and nobody is there to give it.
type consentError struct{}

func (consentError) Error() string { return "nobody is there to agree; nothing was sent" }

// usageError is a command line that says nothing sensible.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

func usage(err error) error                   { return &usageError{err} }
func usagef(format string, args ...any) error { return &usageError{fmt.Errorf(format, args...)} }

// arguments makes cobra's complaints about arguments usage errors.
func arguments(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usagef("%w: usage: %s", err, c.UseLine())
		}
		return nil
	}
}

// exitCode finds the code of an error by its type. The order matters: what was
// sent outweighs how the program ended.
func exitCode(err error) int {
	switch {
	case is[*tx.UnknownError](err):
		return exitUnknown
	case is[*tx.RefusedError](err), is[*tx.Failure](err), is[*tx.ExpiredError](err), is[*neverError](err),
		is[*noEventError](err):
		return exitRefused
	case is[*partialError](err):
		return exitPartial
	case errors.Is(err, errInterrupted), errors.Is(err, term.ErrInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.Is(err, errDeclined), errors.Is(err, term.ErrDeclined), is[consentError](err),
		is[*policy.DeniedError](err), is[*policyError](err), is[*policy.TamperedError](err):
		return exitDeclined
	case is[*keystore.WrongPassphraseError](err), errors.Is(err, keystore.ErrNoPassphrase),
		is[*keystore.NotFoundError](err), is[*noKeyError](err), is[*agent.NotRunningError](err), is[*agent.NotHeldError](err),
		is[*keyringError](err), is[*keyringEmptyError](err), is[*passwordError](err):
		return exitLocked
	case errors.Is(err, errVoteNeeded):
		return exitVote
	case is[*usageError](err), is[*tao.AmountError](err), is[*tao.AddressError](err), is[*keystore.NameError](err),
		is[*chain.NetworkError](err):
		return exitUsage
	case is[*chain.LostError](err), is[*chain.ReplyError](err), is[*chain.RPCError](err), is[*chain.WrongChainError](err),
		is[*chain.MissingError](err), is[*tx.ExtensionError](err), is[*tx.PrunedError](err), is[*chain.NoBlockError](err),
		is[*register.HeadsError](err), is[*governance.NoVotingError](err):
		return exitUnreachable
	}
	return exitFailed
}

// certain reports an error that says what became of an extrinsic, or that one
// was sent: interrupting the program does not change its meaning.
func certain(err error) bool {
	code := exitCode(err)
	return code == exitUnknown || code == exitRefused || code == exitPartial
}

func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}
