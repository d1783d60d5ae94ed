package cmd

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/governance"
	"github.com/taoctl/taoctl/tao"
)

func (a *app) governanceCommand() *cobra.Command {
	return group("governance", "See what is decided on the chain, and vote",
		a.govStatusCommand(), a.govMembersCommand(), a.govProposalsCommand(), a.govShowCommand(),
		a.govVoteCommand(), a.govUnvoteCommand(), a.govProposeCommand(), a.govCloseCommand())
}

// govStatus is the result of governance status.
type govStatus struct {
	Block   uint32            `json:"block"`
	Runtime string            `json:"runtime"`
	Model   string            `json:"model"` // collective, referenda or none
	Meaning string            `json:"meaning"`
	Bodies  []governance.Body `json:"bodies,omitempty"`
	Open    []govRow          `json:"open,omitempty"`
	Wallet  *govWallet        `json:"wallet,omitempty"`
	Sudo    governance.Sudo   `json:"sudo"`
}

// govWallet is what the chosen wallet may do.
type govWallet struct {
	Coldkey tao.Account   `json:"coldkey"`
	Roles   []string      `json:"member_of"` // bodies, by coldkey or hotkey
	Waiting []uint32      `json:"waiting_for_its_vote"`
	Voters  []tao.Account `json:"voters" view:",lines"` // its accounts with a vote
	May     []string      `json:"may" view:",lines"`    // in plain words
}

// govRow is a proposal in a list.
type govRow struct {
	Index     uint32     `json:"index"`
	Hash      *tao.Hash  `json:"hash,omitempty"`
	State     string     `json:"state"`
	ClosesAs  string     `json:"closes_as,omitempty"`
	Ayes      int        `json:"ayes"`
	Nays      int        `json:"nays"`
	Threshold uint32     `json:"threshold"`
	Seats     uint32     `json:"seats"`
	End       uint32     `json:"end"`
	EndsAbout *time.Time `json:"ends_about,omitempty"`
	Mine      string     `json:"mine,omitempty"` // how this wallet voted, or "waiting"
	Does      string     `json:"would_do"`
	Problem   string     `json:"problem,omitempty"`
}

var modelMeanings = map[string]string{
	"collective": "the triumvirate proposes, the senate votes by hotkey; more than half of the seats approve",
	"referenda":  "proposers submit, the triumvirate decides, two bodies review (experimental: no live chain has it)",
	"none":       "there is nothing to vote on here: whoever holds the sudo key decides",
}

func (a *app) govStatusCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "status",
		Short: "Show who decides here, what is open, and what this wallet may do",
		Long: `Show which way of deciding the connected runtime has, by its metadata: a senate
("collective"), referenda (experimental: no live chain has them yet), or none.
Shown as well are the sudo key, its proxies and the signatories behind it where
something on the chain tells them, multisig operations that wait for them with
their calls, scheduled calls, and how the runtime is upgraded.`,
		Args: arguments(cobra.NoArgs),
	}
	a.networkFlags(c)
	a.walletFlags(c)
	a.hotkeyFlag(c)
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		v, err := a.best(c)
		if err != nil {
			return nil, err
		}
		return a.govStatusAt(c.Context(), v)
	})
}

func (a *app) govStatusAt(ctx context.Context, v *chain.View) (any, error) {
	s := govStatus{Block: v.Number(), Runtime: v.Runtime().Spec().String(), Model: "none"}
	var err error
	if s.Sudo, err = governance.SudoOf(ctx, v); err != nil {
		return nil, err
	}
	var mine []tao.Account
	var list []governance.Proposal
	if model, none := governance.Of(v.Runtime()); none == nil {
		s.Model = model.Name()
		if mine, err = a.voters(ctx, v, model); err != nil {
			return nil, err
		}
		if s.Bodies, err = model.Bodies(ctx, v); err != nil {
			return nil, err
		}
		if list, err = model.Proposals(ctx, v); err != nil {
			return nil, err
		}
		s.Open = rowsOf(list, mine)
	}
	s.Meaning = modelMeanings[s.Model]
	if w, err := a.wallet(a.walletName()); err == nil {
		s.Wallet = walletPart(w.Coldkey, mine, s.Bodies, list)
	}
	s.Wallet.mayDo(s)
	return s, nil
}

// voters are the accounts that the chosen wallet can vote with: some of its own and
// the hotkey that the settings name. There are none where there is no wallet, which
// reading must not need.
func (a *app) voters(ctx context.Context, v *chain.View, m governance.Model) ([]tao.Account, error) {
	w, none := a.wallet(a.walletName())
	if none == nil {
		return m.Voters(ctx, v, w.Coldkey, a.hotkeysOf(w))
	}
	return nil, nil
}

// hotkeysOf are a wallet's hotkeys, the one that the settings name, and the coldkey,
// which may be a hotkey of its own.
func (a *app) hotkeysOf(w walletAddresses) []tao.Account {
	list := []tao.Account{w.Coldkey}
	add := func(account tao.Account, err error) {
		if err == nil && !slices.Contains(list, account) {
			list = append(list, account)
		}
	}
	add(a.hotkey(w))
	store, err := a.store()
	if err != nil {
		return list
	}
	for _, h := range w.hotkeys {
		add(store.Account(h.Ref))
	}
	return list
}

// walletPart finds what a wallet's accounts are here: voters with their seats, and
// the coldkey alone in bodies that do not vote.
func walletPart(coldkey tao.Account, mine []tao.Account, bodies []governance.Body, list []governance.Proposal) *govWallet {
	w := &govWallet{Coldkey: coldkey, Roles: []string{}, Waiting: []uint32{}, Voters: []tao.Account{}, May: []string{}}
	for _, b := range bodies {
		for _, m := range b.Members {
			if b.Votes && slices.Contains(mine, m.Account) || !b.Votes && m.Account == coldkey {
				w.join(b, m.Account)
			}
		}
	}
	for _, p := range list {
		if needsVote(p, mine) {
			w.Waiting = append(w.Waiting, p.Index)
		}
	}
	return w
}

func (w *govWallet) join(b governance.Body, m tao.Account) {
	if !slices.Contains(w.Roles, b.Name) {
		w.Roles = append(w.Roles, b.Name)
	}
	if b.Votes && !slices.Contains(w.Voters, m) {
		w.Voters = append(w.Voters, m)
	}
}

// mayDo says in words what the wallet may do by what the status shows.
func (w *govWallet) mayDo(s govStatus) {
	if w == nil {
		return
	}
	may := func(here bool, format string, args ...any) {
		if here {
			w.May = append(w.May, fmt.Sprintf(format, args...))
		}
	}
	may(len(w.Waiting) > 0, "vote; these wait for it: %s", strings.Trim(fmt.Sprint(w.Waiting), "[]"))
	may(len(w.Voters) > 0 && len(w.Waiting) == 0, "vote; nothing waits for it now")
	may(slices.Contains(w.Roles, "triumvirate") || slices.Contains(w.Roles, "Proposers"), "propose")
	may(s.Sudo.Key != nil && s.Sudo.Key.Account == w.Coldkey, "do anything: its coldkey is the sudo key")
	group := func(m *governance.Multisig, what string) {
		may(m != nil && slices.ContainsFunc(m.Signatories, func(v governance.Voter) bool { return v.Account == w.Coldkey }),
			"approve multisig operations of %s, as one of its signatories", what)
	}
	group(s.Sudo.Multisig, "the sudo key")
	for _, p := range s.Sudo.Proxies {
		may(p.Delegate.Account == w.Coldkey, "sign for the sudo key as its proxy of type %s", p.Type)
		group(p.Multisig, "a proxy of the sudo key")
	}
	may(len(w.May) == 0, "look on: it has no part in decisions here")
}

// needsVote reports an open proposal that one of the accounts may vote on and
// has not.
func needsVote(p governance.Proposal, mine []tao.Account) bool {
	return p.State == governance.Open && slices.ContainsFunc(p.Waiting, func(v governance.Voter) bool { return slices.Contains(mine, v.Account) })
}

func rowsOf(list []governance.Proposal, mine []tao.Account) []govRow {
	rows := make([]govRow, len(list))
	for i, p := range list {
		rows[i] = govRow{
			Index: p.Index, Hash: p.Hash, State: p.State, ClosesAs: p.ClosesAs, Ayes: len(p.Ayes), Nays: len(p.Nays), Threshold: p.Threshold,
			Seats: p.Seats, End: p.End, EndsAbout: p.EndsAbout, Mine: ownVote(p, mine), Does: strings.Join(p.Lines, " "), Problem: p.Problem,
		}
	}
	return rows
}

func ownVote(p governance.Proposal, mine []tao.Account) string {
	var votes []string
	for _, m := range mine {
		waits := slices.ContainsFunc(p.Waiting, func(v governance.Voter) bool { return v.Account == m })
		switch voted := p.Voted(m); {
		case voted != nil && *voted:
			votes = append(votes, "aye")
		case voted != nil:
			votes = append(votes, "nay")
		case waits:
			votes = append(votes, "waiting")
		}
	}
	return strings.Join(votes, ", ")
}

// govModel is a view of the newest block and the way of deciding there.
func (a *app) govModel(c *cobra.Command) (governance.Model, *chain.View, error) {
	v, err := a.best(c)
	if err != nil {
		return nil, nil, err
	}
	model, err := governance.Of(v.Runtime())
	return model, v, err
}

// govMember is a line of governance members.
type govMember struct {
	Body    string      `json:"body"`
	Account tao.Account `json:"account"`
	Name    string      `json:"name,omitempty"` // what its owner calls it: anybody may take any name
	Role    string      `json:"role"`
}

func (a *app) govMembersCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "members",
		Short: "List who may propose and who may vote",
		Args:  arguments(cobra.NoArgs),
	}
	a.networkFlags(c)
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		model, v, err := a.govModel(c)
		if err != nil {
			return nil, err
		}
		bodies, err := model.Bodies(c.Context(), v)
		rows := []govMember{}
		for _, b := range bodies {
			for _, m := range b.Members {
				rows = append(rows, govMember{Body: b.Name, Account: m.Account, Name: m.Name, Role: b.Role})
			}
		}
		return rows, err
	})
}

func (a *app) govShowCommand() *cobra.Command {
	var index int64
	c := &cobra.Command{
		Use:   "show PROPOSAL",
		Short: "Show a proposal: its call in full, what it changes, and the votes",
		Long: `Show one open proposal, by its number or its hash. The call is decoded from the
chain's bytes, calls inside it follow on lines of their own, and its hash is
made anew and compared with the proposal's. A call that cannot be read is shown
as such: it may do anything.`,
		Args: arguments(cobra.ExactArgs(1)),
	}
	a.networkFlags(c)
	indexFlag(c, &index)
	return a.query(c, func(c *cobra.Command, args []string) (any, error) {
		ref, err := parseProposal(args[0], index)
		if err != nil {
			return nil, err
		}
		model, v, err := a.govModel(c)
		if err != nil {
			return nil, err
		}
		p, err := model.Find(c.Context(), v, ref)
		if err != nil {
			return nil, err
		}
		return p, nil
	})
}

func indexFlag(c *cobra.Command, index *int64) {
	c.Flags().Int64Var(index, "index", -1, "the proposal's number, where it is named by its hash: refuse if they differ")
}

// parseProposal reads a proposal's number or hash. index is -1 where it is not
// given.
func parseProposal(s string, index int64) (r governance.Ref, err error) {
	if !strings.HasPrefix(s, "0x") {
		n, err := parseUint32(s)
		switch {
		case err != nil:
			return r, usagef("proposal %q is neither a number nor a hash", s)
		case index != -1 && index != int64(n):
			return r, usagef("--index %d contradicts the number %d", index, n)
		}
		r.Index = &n
		return r, nil
	}
	hash, err := parseHash("proposal", s)
	if err != nil {
		return r, err
	}
	r.Hash = &hash
	if index != -1 {
		n := uint32(index)
		if int64(n) != index {
			return r, usagef("--index %d is no number that the chain counts", index)
		}
		r.Index = &n
	}
	return r, nil
}

// parseVote reads aye or nay.
func parseVote(s string) (aye bool, err error) {
	switch s {
	case "aye":
		return true, nil
	case "nay":
		return false, nil
	}
	return false, usagef("vote %q is neither aye nor nay", s)
}
