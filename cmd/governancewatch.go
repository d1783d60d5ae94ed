package cmd

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/governance"
	"github.com/taoctl/taoctl/internal/view"
	"github.com/taoctl/taoctl/tao"
)

// errVoteNeeded makes the exit code say that a proposal waits for this wallet.
var errVoteNeeded = errors.New("a proposal waits for this wallet's vote")

func (a *app) govProposalsCommand() *cobra.Command {
	var watch, untilVote bool
	c := &cobra.Command{
		Use:   "proposals",
		Short: "List what is voted on",
		Long: `List what is open. With --watch, new proposals, votes and ends are printed as
they come, one on a line, as JSON with --json, until the program is interrupted.
With --until-vote the exit code is 10 where a proposal waits for a vote of the
chosen wallet: at once without --watch, as soon as there is one with it.`,
		Example: "  taoctl governance proposals\n  taoctl governance proposals --watch --until-vote -w senator --json",
		Args:    arguments(cobra.NoArgs),
	}
	a.networkFlags(c)
	a.walletFlags(c)
	a.hotkeyFlag(c)
	c.Flags().BoolVar(&watch, "watch", false, "stay, and print what changes, one line each")
	c.Flags().BoolVar(&untilVote, "until-vote", false, "end with exit code 10 where something waits for this wallet's vote")
	a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		model, v, err := a.govModel(c)
		if err != nil {
			return nil, err
		}
		list, err := model.Proposals(c.Context(), v)
		if err != nil {
			return nil, err
		}
		mine, err := a.watched(c.Context(), v, model, untilVote)
		if err != nil {
			return nil, err
		}
		return rowsOf(list, mine), verdictOf(voteNeeded(list, mine, untilVote))
	})
	once := c.RunE
	c.RunE = func(c *cobra.Command, args []string) error {
		switch {
		case !watch:
			return once(c, args)
		case a.out.csv:
			return usagef("--watch prints a line at a time: leave out --csv")
		}
		return a.watchProposals(c, untilVote)
	}
	return c
}

// watched are the accounts whose votes are looked for. To wait for a wallet's
// vote takes a wallet: without one, silence would pass for "nothing to do".
func (a *app) watched(ctx context.Context, v *chain.View, m governance.Model, needed bool) ([]tao.Account, error) {
	if needed {
		if _, err := a.wallet(a.walletName()); err != nil {
			return nil, err
		}
	}
	return a.voters(ctx, v, m)
}

func voteNeeded(list []governance.Proposal, mine []tao.Account, asked bool) error {
	if asked && slices.ContainsFunc(list, func(p governance.Proposal) bool { return needsVote(p, mine) }) {
		return errVoteNeeded
	}
	return nil
}

// govNews is one line of --watch.
type govNews struct {
	Block    uint32              `json:"block"`
	News     string              `json:"news"` // open, proposed, voted, state, gone or event
	Proposal *govRow             `json:"proposal,omitempty"`
	Event    *governance.Outcome `json:"event,omitempty"`
}

// String is the news for people, on one line.
func (n govNews) String() string {
	if o := n.Event; o != nil {
		return fmt.Sprintf("block %d: event %s%s", n.Block, o.Event, eventText(*o))
	}
	p := n.Proposal
	text := fmt.Sprintf("block %d: %s %d, %s, %d ayes, %d nays of %d votes", n.Block, n.News, p.Index, p.State, p.Ayes, p.Nays, p.Seats)
	if p.Mine != "" {
		text += ", this wallet: " + p.Mine
	}
	return text + ": " + p.Does
}

func eventText(o governance.Outcome) (text string) {
	if o.Index != nil {
		text += fmt.Sprintf(" %d", *o.Index)
	}
	if o.Review != nil {
		text += fmt.Sprintf(", reviewed as %d", *o.Review)
	}
	if o.Vote != "" {
		text += " " + o.Vote
	}
	if o.By != (tao.Account{}) {
		text += " by " + o.By.String()
	}
	if o.Result != "" {
		text += ": " + o.Result
	}
	if o.Hash != nil {
		text += ", call " + o.Hash.String()
	}
	return text
}

// watchProposals follows the newest blocks, each of them: what a node leaves out
// of its notices, or what happened while the line was broken, is read up on.
func (a *app) watchProposals(c *cobra.Command, untilVote bool) error {
	ctx := c.Context()
	client, err := a.dial(c)
	if err != nil {
		return err
	}
	w := watcher{print: a.showNext, untilVote: untilVote, watched: a.watched}
	if err := w.catchUp(ctx, client); err != nil {
		return err
	}
	for {
		before := w.number
		if err = w.follow(ctx, client); !is[*chain.LostError](err) || w.number == before {
			return err
		}
	}
}

// showNext prints one of several results that come one after the other.
func (a *app) showNext(v any) error {
	o, err := a.out.options()
	if err != nil {
		return err
	}
	if o.Format == view.JSON {
		o.Format = view.JSONLine
	}
	return view.Render(a.env.Out, v, o)
}

// watcher remembers what it has told.
type watcher struct {
	watched   func(ctx context.Context, v *chain.View, m governance.Model, needed bool) ([]tao.Account, error)
	mine      []tao.Account // as watched said at the first look
	untilVote bool
	known     map[uint32]governance.Proposal // nil before the first look
	number    uint32                         // of the block looked at last
	hash      tao.Hash
	print     func(any) error
}

func (w *watcher) follow(ctx context.Context, client *chain.Client) error {
	for _, err := range client.Headers(ctx, false) {
		if err != nil {
			return err
		}
		if err := w.catchUp(ctx, client); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// catchUp looks at every block since the last one. Where a fork took that away,
// the newest one is compared with what was told.
func (w *watcher) catchUp(ctx context.Context, client *chain.Client) error {
	head, err := client.At(ctx, chain.Best())
	if err != nil || head.Hash() == w.hash {
		return err
	}
	if w.known != nil {
		for n := w.number + 1; n < head.Number(); n++ {
			v, err := client.At(ctx, chain.AtNumber(n))
			if err != nil {
				return err
			}
			if err := w.look(ctx, v); err != nil {
				return err
			}
		}
	}
	return w.look(ctx, head)
}

// look tells what is new at a block.
func (w *watcher) look(ctx context.Context, v *chain.View) error {
	model, err := governance.Of(v.Runtime())
	if err != nil {
		return err
	}
	if w.known == nil {
		if w.mine, err = w.watched(ctx, v, model, w.untilVote); err != nil {
			return err
		}
	}
	list, err := model.Proposals(ctx, v)
	if err != nil {
		return err
	}
	events, err := w.events(ctx, v)
	if err != nil {
		return err
	}
	w.number, w.hash = v.Number(), v.Hash()
	for _, n := range append(events, w.news(v.Number(), list)...) {
		if err := w.print(n); err != nil {
			return err
		}
	}
	return voteNeeded(list, w.mine, w.untilVote)
}

// events are those of a block that came after the watch began.
func (w *watcher) events(ctx context.Context, v *chain.View) (news []govNews, _ error) {
	if w.known == nil {
		return nil, nil
	}
	list, err := governance.OutcomesAt(ctx, v)
	for _, o := range list {
		news = append(news, govNews{Block: v.Number(), News: "event", Event: &o})
	}
	return news, err
}

// news compares the proposals with those told before.
func (w *watcher) news(block uint32, list []governance.Proposal) (news []govNews) {
	now := map[uint32]governance.Proposal{}
	for i, row := range rowsOf(list, w.mine) {
		now[row.Index] = list[i]
		if what := w.change(list[i]); what != "" {
			news = append(news, govNews{Block: block, News: what, Proposal: &row})
		}
	}
	for _, row := range rowsOf(gone(w.known, now), w.mine) {
		news = append(news, govNews{Block: block, News: "gone", Proposal: &row})
	}
	w.known = now
	return news
}

// change says how a proposal differs from what was told before, if it does.
func (w *watcher) change(p governance.Proposal) string {
	before, old := w.known[p.Index]
	switch {
	case w.known == nil:
		return "open"
	case !old:
		return "proposed"
	case !slices.Equal(before.Ayes, p.Ayes), !slices.Equal(before.Nays, p.Nays):
		return "voted"
	case before.State != p.State:
		return "state"
	}
	return ""
}

// gone lists proposals that are no longer open, by index.
func gone(before, now map[uint32]governance.Proposal) (list []governance.Proposal) {
	for index, p := range before {
		if _, open := now[index]; !open {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b governance.Proposal) int { return int(int64(a.Index) - int64(b.Index)) })
	return list
}
