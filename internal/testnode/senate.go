package testnode

import (
	"slices"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Senate makes the node carry out the calls of a triumvirate and its senate, on
// a runtime that has those pallets. Source: subtensor v1.2.4,
// pallets/collective/src/lib.rs, where no other file is named.
func (n *Node) Senate() {
	n.Rule("Triumvirate", "propose", propose)
	n.Rule("SubtensorModule", "vote", voteAsSenator)
	n.Rule("Triumvirate", "close", closeMotion)
	n.Rule("SubtensorModule", "sudo", func(c *Chain, who tao.Account, call chain.Call) any {
		return "BadOrigin" // signed; what the collective decides is not run here but for remarks
	})
	n.Rule("Sudo", "sudo", asSudo)
	n.Rule("AdminUtils", "sudo_set_tempo", func(c *Chain, _ tao.Account, call chain.Call) any {
		c.Set("SubtensorModule", "Tempo", call.Args["tempo"], call.Args["netuid"])
		return nil
	})
	// The weight of a call, and no fee for it (substrate, frame/transaction-payment/rpc).
	n.OnAPI("TransactionPaymentCallApi_query_call_info", func([]byte) ([]byte, error) {
		return []byte{4, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil
	})
}

// asSudo is pallet sudo's sudo (polkadot-sdk, substrate/frame/sudo/src/lib.rs).
func asSudo(c *Chain, who tao.Account, call chain.Call) any {
	if c.Get("Sudo", "Key") != who {
		return c.Error("Sudo", "RequireSudo")
	}
	inner, _ := call.Args["call"].(chain.Call)
	var result any = map[string]any{"Ok": []any{}}
	if inner.Pallet == "Triumvirate" && inner.Name == "close" {
		if err := c.close(inner); err != nil {
			result = map[string]any{"Err": err}
		}
	} else if err := c.Dispatch(who, inner); err != nil {
		result = map[string]any{"Err": err}
	}
	c.Emit("Sudo", "Sudid", map[string]any{"sudo_result": result})
	return nil
}

func members(v any) (list []tao.Account) {
	items, _ := v.([]any)
	for _, x := range items {
		list = append(list, x.(tao.Account))
	}
	return list
}

// leastVote is 12 hours of 250 milliseconds, the slot of spec 240's fast build
// (runtime/src/lib.rs:241, :248, :507).
const leastVote = 60_000 / 250 * 60 * 12

// propose is :537, and do_propose_proposed after it.
func propose(c *Chain, who tao.Account, call chain.Call) any {
	duration, _ := call.Args["duration"].(uint32)
	inner, _ := call.Args["proposal"].(chain.Call)
	encoded, hash := c.Encode(inner)
	hashes, _ := c.Get("Triumvirate", "Proposals").([]any)
	bound, _ := call.Args["length_bound"].(uint32)
	switch {
	case !slices.Contains(members(c.Get("TriumvirateMembers", "Members")), who): // :544
		return c.Error("Triumvirate", "NotMember")
	case duration < leastVote: // :546
		return c.Error("Triumvirate", "DurationLowerThanConfiguredMotionDuration")
	case len(encoded) > int(bound):
		return c.Error("Triumvirate", "ProposalLengthBoundLessThanProposalLength")
	case c.Has("Triumvirate", "ProposalOf", hash): // :710
		return c.Error("Triumvirate", "DuplicateProposal")
	case len(hashes) >= 10: // runtime/src/lib.rs:508
		return c.Error("Triumvirate", "TooManyActiveProposals")
	}
	index, _ := c.Get("Triumvirate", "ProposalCount").(uint32)
	threshold := uint32(len(members(c.Get("SenateMembers", "Members")))/2 + 1) // :551
	c.Set("Triumvirate", "Proposals", append(hashes, hash))
	c.Set("Triumvirate", "ProposalCount", index+1)
	c.Set("Triumvirate", "ProposalOf", inner, hash)
	c.Set("Triumvirate", "Voting", map[string]any{ // :731
		"index": index, "threshold": threshold, "ayes": []any{}, "nays": []any{}, "end": c.Number() + duration,
	}, hash)
	c.Emit("Triumvirate", "Proposed", map[string]any{"account": who, "proposal_index": index, "proposal_hash": hash, "threshold": threshold})
	return nil
}

// motion is a Votes (:156) that may be changed.
type motion struct {
	*scale.Record
	hash any
}

// motionOf checks a hash and an index, as do_vote and do_close do (:760, :814).
func (c *Chain) motionOf(hash, index any) (motion, any) {
	r, _ := c.Get("Triumvirate", "Voting", hash).(*scale.Record)
	if r == nil {
		return motion{}, c.Error("Triumvirate", "ProposalNotExists")
	}
	if known, _ := r.Get("index"); known != index {
		return motion{}, c.Error("Triumvirate", "IndexMismatchProposalHash")
	}
	return motion{r, hash}, nil
}

func (m motion) number(name string) int {
	v, _ := m.Get(name)
	return int(v.(uint32))
}

func (m motion) votes(name string) []tao.Account {
	v, _ := m.Get(name)
	return members(v)
}

// voteAsSenator is do_vote_root (pallets/subtensor/src/coinbase/root.rs:849) and do_vote (:754).
func voteAsSenator(c *Chain, who tao.Account, call chain.Call) any {
	hotkey := call.Args["hotkey"].(tao.Account)
	approve := call.Args["approve"].(bool)
	switch {
	case !c.Has("SubtensorModule", "Owner", hotkey) || c.Get("SubtensorModule", "Owner", hotkey) != who:
		return c.Error("SubtensorModule", "NonAssociatedColdKey")
	case !slices.Contains(members(c.Get("SenateMembers", "Members")), hotkey):
		return c.Error("SubtensorModule", "NotSenateMember")
	}
	m, err := c.motionOf(call.Args["proposal"], call.Args["index"])
	if err != nil {
		return err
	}
	to, from := "ayes", "nays"
	if !approve {
		to, from = from, to
	}
	if slices.Contains(m.votes(to), hotkey) {
		return c.Error("Triumvirate", "DuplicateVote")
	}
	setField(m.Record, to, append(m.votes(to), hotkey))
	setField(m.Record, from, slices.DeleteFunc(m.votes(from), func(a tao.Account) bool { return a == hotkey }))
	c.Set("Triumvirate", "Voting", m.Record, m.hash)
	count := func(name string) uint32 {
		v, _ := m.Get(name)
		return uint32(len(v.([]tao.Account)))
	}
	c.Emit("Triumvirate", "Voted", map[string]any{
		"account": hotkey, "proposal_hash": m.hash, "voted": approve, "yes": count("ayes"), "no": count("nays"),
	})
	return nil
}

// closeMotion is root's from spec 219 on, which [asSudo] knows.
func closeMotion(*Chain, tao.Account, chain.Call) any { return "BadOrigin" }

// close is do_close (:808).
func (c *Chain) close(call chain.Call) any {
	m, err := c.motionOf(call.Args["proposal_hash"], call.Args["index"])
	if err != nil {
		return err
	}
	ayes, nays := len(m.votes("ayes")), len(m.votes("nays"))
	seats := len(members(c.Get("SenateMembers", "Members")))
	approved, rejected := ayes >= m.number("threshold"), max(seats-nays, 0) < m.number("threshold")
	if !approved && !rejected {
		if int(c.Number()) < m.number("end") { // :865
			return c.Error("Triumvirate", "TooEarlyToCloseProposal")
		}
		first, set := c.Get("Triumvirate", "Prime").(tao.Account)
		if set && slices.Contains(m.votes("ayes"), first) {
			ayes = seats - nays
		} else {
			nays = seats - ayes
		}
		approved = ayes >= m.number("threshold")
	}
	c.Emit("Triumvirate", "Closed", map[string]any{"proposal_hash": m.hash, "yes": uint32(ayes), "no": uint32(nays)})
	if approved {
		c.execute(m.hash)
	} else {
		c.Emit("Triumvirate", "Disapproved", map[string]any{"proposal_hash": m.hash})
	}
	c.removeMotion(m.hash)
	return nil
}

// execute is do_approve_proposal (:958). The collective's own origin is nobody's
// account: what asks for a signer fails, and SubtensorModule.sudo has root's power.
func (c *Chain) execute(hash any) {
	c.Emit("Triumvirate", "Approved", map[string]any{"proposal_hash": hash})
	call, _ := c.Get("Triumvirate", "ProposalOf", hash).(chain.Call)
	var result any = map[string]any{"Ok": []any{}}
	if call.Pallet == "SubtensorModule" && call.Name == "sudo" {
		call = call.Args["call"].(chain.Call)
	} else if call.Pallet != "System" || call.Name != "remark" {
		call, result = chain.Call{}, map[string]any{"Err": "BadOrigin"}
	}
	if call.Name != "" {
		if err := c.Dispatch(tao.Account{}, call); err != nil {
			result = map[string]any{"Err": err}
		}
	}
	c.Emit("Triumvirate", "Executed", map[string]any{"proposal_hash": hash, "result": result})
}

func (c *Chain) removeMotion(hash any) {
	hashes, _ := c.Get("Triumvirate", "Proposals").([]any)
	c.Set("Triumvirate", "Proposals", slices.DeleteFunc(hashes, func(h any) bool {
		return slices.Equal(h.([]byte), hash.([]byte))
	}))
	c.Remove("Triumvirate", "ProposalOf", hash)
	c.Remove("Triumvirate", "Voting", hash)
}
