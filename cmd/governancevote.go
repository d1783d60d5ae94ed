package cmd

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/governance"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// decision plans a change by the runtime's way of deciding.
type decision func(ctx context.Context, m governance.Model, v *chain.View, args []string) (tx.Plan, error)

// decide makes a command of transact whose result is read from the events: that
// an extrinsic succeeded does not say that a vote was counted.
func (a *app) decide(c *cobra.Command, plan decision) *cobra.Command {
	return a.transact(c, func(c *cobra.Command, v *chain.View, args []string) (tx.Plan, error) {
		m, err := governance.Of(v.Runtime())
		if err != nil {
			return tx.Plan{}, err
		}
		p, err := plan(c.Context(), m, v, args)
		a.outcome = func(r *tx.Receipt) (any, error) { return judge(r, p.Preview) }
		return p, err
	})
}

// govReceipt is a receipt and what its events say of the decision.
type govReceipt struct {
	Outcomes []governance.Outcome `json:"outcomes"`
	Receipt  *tx.Receipt          `json:"receipt"`
}

// judge reads a receipt's decision. A receipt that should tell of one and does
// not is an error of its own: the fee is paid, and nothing was decided.
func judge(r *tx.Receipt, planned any) (any, error) {
	out := govReceipt{Outcomes: governance.Outcomes(r.Events), Receipt: r}
	switch {
	case r.Failure != nil:
		return out, r.Failure
	case r.Status == tx.Submitted, governance.Confirms(out.Outcomes, planned):
		return out, nil
	}
	return out, &noEventError{Extrinsic: r.Extrinsic}
}

// noEventError says that an extrinsic succeeded and did not do what it was for.
type noEventError struct{ Extrinsic tao.Hash }

func (e *noEventError) Error() string {
	return fmt.Sprintf("%s is in a block and reports no failure, but none of its events says that it did what it was for", e.Extrinsic)
}

func (a *app) govVoteCommand() *cobra.Command {
	var index int64
	var late, blind bool
	c := &cobra.Command{
		Use:   "vote PROPOSAL aye|nay",
		Short: "Vote on a proposal",
		Long: `Vote on an open proposal, named by its number or its hash. The senate votes with
a hotkey, signed by the coldkey that owns it; referenda (experimental) are voted
on by the coldkey. The preview says whether this is a first vote or changes one;
the same vote twice is refused before it costs a fee, and so are a vote after
the end, and an aye to a call that cannot be read.`,
		Example: "  taoctl governance vote 3 aye --hotkey senator\n  taoctl governance vote 3 nay --dry-run",
		Args:    arguments(cobra.ExactArgs(2)),
	}
	a.hotkeyFlag(c)
	indexFlag(c, &index)
	c.Flags().BoolVar(&late, "late", false, "vote even though the senate's vote is over: it counts if it arrives before somebody closes it")
	c.Flags().BoolVar(&blind, "blind", false, "approve even a call that cannot be read, or is not the one that is voted on")
	return a.decide(c, func(ctx context.Context, m governance.Model, v *chain.View, args []string) (tx.Plan, error) {
		aye, err := parseVote(args[1])
		if err != nil {
			return tx.Plan{}, err
		}
		b, err := a.ballot(ctx, m, args[0], index)
		if err != nil {
			return tx.Plan{}, err
		}
		b.Aye, b.Late, b.Blind = aye, late, blind
		return m.Vote(ctx, v, b)
	})
}

func (a *app) govUnvoteCommand() *cobra.Command {
	var index int64
	c := &cobra.Command{
		Use:   "unvote PROPOSAL",
		Short: "Take a vote back (referenda only; experimental)",
		Args:  arguments(cobra.ExactArgs(1)),
	}
	a.hotkeyFlag(c)
	indexFlag(c, &index)
	return a.decide(c, func(ctx context.Context, m governance.Model, v *chain.View, args []string) (tx.Plan, error) {
		b, err := a.ballot(ctx, m, args[0], index)
		if err != nil {
			return tx.Plan{}, err
		}
		return m.Unvote(ctx, v, b)
	})
}

// ballot names who votes and on what. Referenda are not voted on by hotkeys.
func (a *app) ballot(ctx context.Context, m governance.Model, proposal string, index int64) (b governance.Ballot, err error) {
	if b.Proposal, err = parseProposal(proposal, index); err != nil {
		return b, err
	}
	w, err := a.chosenWallet(ctx)
	if err != nil {
		return b, err
	}
	b.Coldkey = w.Coldkey
	if m.Name() == "collective" {
		b.Hotkey, err = a.hotkey(w)
	}
	return b, err
}

func (a *app) govProposeCommand() *cobra.Command {
	var f callFlags
	var m governance.Motion
	c := &cobra.Command{
		Use:   "propose PALLET.CALL [KEY=VALUE]...",
		Short: "Put a call to the vote",
		Long: "Put a call to the vote, as a member of the triumvirate, or of the proposers where\nthere are referenda (experimental).\n" + callHelp + `

The senate's vote lasts --duration blocks, seven days if it is left out, and no
less than 12 hours: 3,600 blocks of 12 seconds.`,
		Example: `  taoctl governance propose System.remark remark=0x00 --duration 14400
  taoctl governance propose SubtensorModule.sudo --args '{"call": {"call": "AdminUtils.sudo_set_tempo", "args": {"netuid": 1, "tempo": 99}}}'`,
		Args: arguments(cobra.MinimumNArgs(1)),
	}
	f.add(c)
	c.Flags().Uint32Var(&m.Duration, "duration", 0, "blocks that the senate's vote lasts; 0 is seven days")
	c.Flags().Uint8Var(&m.Track, "track", 0, "track of a referendum")
	return a.decide(c, func(ctx context.Context, model governance.Model, v *chain.View, args []string) (tx.Plan, error) {
		call, err := f.call(args)
		if err != nil {
			return tx.Plan{}, err
		}
		if err := v.Runtime().Check(call); err != nil {
			return tx.Plan{}, err
		}
		m.Call = call
		if m.Signer, err = a.signer(ctx, false); err != nil {
			return tx.Plan{}, err
		}
		return model.Propose(ctx, v, m)
	})
}

func (a *app) govCloseCommand() *cobra.Command {
	var index int64
	c := &cobra.Command{
		Use:   "close PROPOSAL",
		Short: "End a vote that is decided or over, and execute what was approved",
		Long: `End a vote that is decided or over. An approved call is executed at once. Any
account may do so up to spec 218; from 219 on it is root's, so it takes the
wallet with the sudo key, and is then wrapped in Sudo.sudo.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	indexFlag(c, &index)
	return a.decide(c, func(ctx context.Context, m governance.Model, v *chain.View, args []string) (tx.Plan, error) {
		ref, err := parseProposal(args[0], index)
		if err != nil {
			return tx.Plan{}, err
		}
		signer, err := a.signer(ctx, false)
		if err != nil {
			return tx.Plan{}, err
		}
		return m.Close(ctx, v, signer, ref)
	})
}

// hintGovernance is what to do about a vote that was refused here.
func hintGovernance(err error) string {
	switch {
	case errors.Is(err, errVoteNeeded):
		return "look at it with \"taoctl governance show\", and vote"
	case is[*governance.NotPossibleError](err):
		return "\"taoctl governance show\" says how it stands"
	case is[*governance.NoVotingError](err):
		return "\"taoctl governance status\" shows who decides here, and what waits"
	case is[*governance.UnknownProposalError](err), is[*governance.IndexError](err), is[*governance.ConcludedError](err):
		return "\"taoctl governance proposals\" lists what is open; a closed vote is gone"
	case is[*governance.NotVoterError](err):
		return "\"taoctl governance members\" lists who votes; choose the seat with --wallet and --hotkey"
	case is[*governance.DecidedError](err):
		return "nothing needs to be done: \"taoctl governance proposals\" lists what follows"
	case is[*governance.NotFinalError](err):
		return "wait a few blocks, look at it again, and vote then"
	case is[*governance.AmbiguousError](err):
		return "name the one that is meant by its number"
	case is[*governance.EndedError](err):
		var ended *governance.EndedError
		if errors.As(err, &ended); ended.Final {
			return "\"taoctl governance proposals\" lists what is open"
		}
		return "add --late to vote all the same: it counts if it arrives before somebody closes the vote"
	case is[*governance.UnreadError](err):
		return "do not approve what nobody can read: vote nay, ask who proposed it, or add --blind"
	case is[*governance.DurationError](err):
		return "leave --duration out for seven days"
	case is[*governance.LimitError](err):
		return "wait until one is closed"
	case is[*governance.NotProposerError](err):
		return "\"taoctl governance members\" lists who may propose"
	case is[*governance.TooEarlyError](err):
		return "wait for more votes or for the end"
	case is[*governance.DuplicateVoteError](err):
		return "nothing needs to be done; to change it, vote the other way"
	case is[*governance.RootOnlyError](err):
		return "have the holder of the sudo key run the same command"
	}
	return ""
}
