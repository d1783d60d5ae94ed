package testnode

import (
	"math/bits"
	"slices"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Times of the tracks in blocks: those of a fast build (subtensor d0910bde9,
// runtime/src/governance/tracks.rs:19, :21, :28).
const (
	DecisionPeriod = 50
	ReviewDelay    = 30
	ReviewLongest  = 60
)

const billion = 1_000_000_000

// Referenda makes the node carry out the calls of the referenda pallets, on a
// runtime of [declared.ReferendaName]. Source: subtensor d0910bde9,
// pallets/referenda/src/lib.rs, where no other file is named.
//
// It differs from the source in one thing that a client can see: alarms are not
// scheduled calls, they are kept beside the state.
func (n *Node) Referenda() {
	r := &referenda{alarms: map[uint32]uint32{}}
	n.Rule("Referenda", "submit", r.submit)
	n.Rule("SignedVoting", "vote", r.vote)
	n.Rule("SignedVoting", "remove_vote", r.removeVote)
	n.OnBlock(r.begin)
}

// referenda are the alarms: at which block a referendum is looked at.
type referenda struct{ alarms map[uint32]uint32 }

// submit is :484. Track 1 has no proposers, and other tracks do not exist
// (runtime/src/governance/tracks.rs:68).
func (r *referenda) submit(c *Chain, who tao.Account, call chain.Call) any {
	inner, _ := call.Args["call"].(chain.Call)
	switch {
	case call.Args["track"] == uint8(1):
		return c.Error("Referenda", "TrackNotSubmittable") // :492
	case call.Args["track"] != uint8(0):
		return c.Error("Referenda", "BadTrack") // :490
	case !slices.Contains(c.collective("Proposers"), who): // :495
		return c.Error("Referenda", "NotProposer")
	case len(c.collective("Triumvirate")) == 0: // :500
		return c.Error("Referenda", "EmptyVoterSet")
	case c.number("ActiveCount") >= 20: // :502, runtime/src/governance/mod.rs:196
		return c.Error("Referenda", "QueueFull")
	case c.number("ActivePerProposer", who) >= 5:
		return c.Error("Referenda", "ProposerQuotaExceeded")
	}
	index := c.open(who, 0, &scale.Variant{Name: "Action", Value: c.bound(inner)}, &scale.Variant{Name: "PassOrFail", Value: map[string]any{
		"decision_period": uint32(DecisionPeriod), "approve_threshold": uint32(666_666_666), "reject_threshold": uint32(666_666_666),
		"on_approval": &scale.Variant{Name: "Review", Value: map[string]any{"track": uint8(1)}}, // tracks.rs:76
	}}, c.collective("Triumvirate"))
	r.alarms[index] = c.Number() + DecisionPeriod // :519
	c.Emit("Referenda", "Submitted", map[string]any{"index": index, "track": uint8(0), "proposer": who})
	return nil
}

// collective are the members of a CollectiveId.
func (c *Chain) collective(id string) []tao.Account {
	return members(c.Get("MultiCollective", "Members", id))
}

func (c *Chain) number(item string, keys ...any) uint32 {
	v, _ := c.Get("Referenda", item, keys...).(uint32)
	return v
}

// open stores an ongoing referendum (:509 to :541), and the snapshot of its
// voters (pallets/signed-voting/src/lib.rs:533).
func (c *Chain) open(who tao.Account, track uint8, proposal, strategy any, voters []tao.Account) uint32 {
	index := c.number("ReferendumCount")
	c.Set("Referenda", "ReferendumCount", index+1)
	c.Set("Referenda", "ActiveCount", c.number("ActiveCount")+1)
	c.Set("Referenda", "ActivePerProposer", c.number("ActivePerProposer", who)+1, who)
	c.Set("Referenda", "ReferendumStatusFor", &scale.Variant{Name: "Ongoing", Value: map[string]any{
		"track": track, "proposal": proposal, "proposer": who, "submitted": c.Number(), "decision_strategy": strategy,
		"tally": map[string]any{"approval": uint32(0), "rejection": uint32(0), "abstention": uint32(billion)},
	}}, index)
	slices.SortFunc(voters, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
	voters = slices.Compact(voters)
	c.Set("SignedVoting", "VoterSetOf", voters, index)
	c.Set("SignedVoting", "TallyOf", map[string]any{"ayes": uint32(0), "nays": uint32(0), "total": uint32(len(voters))}, index)
	return index
}

// bound is StorePreimage::bound: short calls as they are, others by hash
// (polkadot-sdk, substrate/frame/support/src/traits/preimages.rs).
func (c *Chain) bound(call chain.Call) any {
	encoded, hash := c.Encode(call)
	if len(encoded) <= 128 {
		return &scale.Variant{Name: "Inline", Value: encoded}
	}
	length := uint32(len(encoded))
	c.Set("Preimage", "PreimageFor", encoded, []any{hash, length})
	c.Set("Preimage", "RequestStatusFor", map[string]any{"Requested": map[string]any{
		"maybe_ticket": nil, "count": uint32(1), "maybe_len": length,
	}}, hash)
	return &scale.Variant{Name: "Lookup", Value: map[string]any{"hash": hash, "len": length}}
}

// ongoing is the ReferendumInfo of one that is (:1079).
func (c *Chain) ongoing(index uint32) *scale.Record {
	s, _ := c.Get("Referenda", "ReferendumStatusFor", index).(*scale.Variant)
	if s == nil || s.Name != "Ongoing" {
		return nil
	}
	return s.Value.(*scale.Record)
}

// mayVote is what vote and remove_vote ensure (pallets/signed-voting/src/lib.rs:339, :365).
func (c *Chain) mayVote(who tao.Account, index uint32) any {
	switch {
	case c.ongoing(index) == nil:
		return c.Error("SignedVoting", "PollNotOngoing")
	case !slices.Contains(members(c.Get("SignedVoting", "VoterSetOf", index)), who):
		return c.Error("SignedVoting", "NotInVoterSet")
	}
	return nil
}

// vote is pallets/signed-voting/src/lib.rs:332, :382.
func (r *referenda) vote(c *Chain, who tao.Account, call chain.Call) any {
	index, approve := call.Args["poll_index"].(uint32), call.Args["approve"].(bool)
	if err := c.mayVote(who, index); err != nil {
		return err
	}
	before, voted := c.Get("SignedVoting", "VotingFor", index, who).(bool)
	if voted && before == approve {
		return c.Error("SignedVoting", "DuplicateVote")
	}
	c.Set("SignedVoting", "VotingFor", approve, index, who)
	c.Emit("SignedVoting", "Voted", map[string]any{"who": who, "poll_index": index, "approve": approve, "tally": r.tallied(c, index)})
	return nil
}

// removeVote is pallets/signed-voting/src/lib.rs:362, :422.
func (r *referenda) removeVote(c *Chain, who tao.Account, call chain.Call) any {
	index := call.Args["poll_index"].(uint32)
	if err := c.mayVote(who, index); err != nil {
		return err
	}
	if !c.Has("SignedVoting", "VotingFor", index, who) {
		return c.Error("SignedVoting", "VoteNotFound")
	}
	c.Remove("SignedVoting", "VotingFor", index, who)
	c.Emit("SignedVoting", "VoteRemoved", map[string]any{"who": who, "poll_index": index, "tally": r.tallied(c, index)})
	return nil
}

// tallied counts the votes anew, and sets the alarm that looks at them in the
// next block (:1116).
func (r *referenda) tallied(c *Chain, index uint32) any {
	voters := members(c.Get("SignedVoting", "VoterSetOf", index))
	var ayes, nays uint32
	for _, v := range voters {
		switch aye, voted := c.Get("SignedVoting", "VotingFor", index, v).(bool); {
		case aye:
			ayes++
		case voted:
			nays++
		}
	}
	total := uint32(len(voters))
	tally := map[string]any{"ayes": ayes, "nays": nays, "total": total}
	c.Set("SignedVoting", "TallyOf", tally, index)
	info := c.ongoing(index)
	yes, no := rational(ayes, total), rational(nays, total) // signed-voting :103
	setField(info, "tally", map[string]any{"approval": yes, "rejection": no, "abstention": billion - yes - no})
	c.Set("Referenda", "ReferendumStatusFor", &scale.Variant{Name: "Ongoing", Value: info}, index)
	r.alarms[index] = c.Number() + 1
	return tally
}

// rational is Perbill::from_rational.
func rational(part, whole uint32) uint32 {
	if part >= whole {
		return billion
	}
	return uint32(uint64(part) * billion / uint64(whole))
}

// begin runs what is due: alarms, and then scheduled enactments.
func (r *referenda) begin(c *Chain) {
	for index := range c.number("ReferendumCount") {
		if at, set := r.alarms[index]; set && at <= c.Number() {
			delete(r.alarms, index)
			if info := c.ongoing(index); info != nil {
				r.advance(c, index, info)
			}
		}
	}
	for index := range c.number("ReferendumCount") {
		if block, due := c.dispatchTime(index); due && block <= c.Number() {
			c.runTask(index)
		}
	}
}

func numberIn(r *scale.Record, name string) uint32 {
	v, _ := r.Get(name)
	return v.(uint32)
}

func recordIn(r *scale.Record, name string) *scale.Record {
	v, _ := r.Get(name)
	switch v := v.(type) {
	case *scale.Record:
		return v
	case *scale.Variant:
		inner, _ := v.Value.(*scale.Record)
		return inner
	}
	return nil
}

// advance is advance_ongoing (:739).
func (r *referenda) advance(c *Chain, index uint32, info *scale.Record) {
	tally, strategy := recordIn(info, "tally"), recordIn(info, "decision_strategy")
	yes, no := numberIn(tally, "approval"), numberIn(tally, "rejection")
	proposal, _ := info.Get("proposal")
	submitted := numberIn(info, "submitted")
	if proposal.(*scale.Variant).Name == "Review" {
		switch {
		case yes >= numberIn(strategy, "fast_track_threshold"):
			c.fastTrack(index)
		case no >= numberIn(strategy, "cancel_threshold"):
			c.unschedule(index) // :965
			c.Remove("Referenda", "EnactmentTask", index)
			c.conclude(index, "Cancelled", nil)
		default:
			c.adjust(index, yes, no, submitted, strategy)
		}
		return
	}
	deadline := submitted + numberIn(strategy, "decision_period")
	switch {
	case yes >= numberIn(strategy, "approve_threshold"):
		r.delegate(c, index, info, proposal.(*scale.Variant).Value)
	case no >= numberIn(strategy, "reject_threshold"):
		c.conclude(index, "Rejected", nil)
	case c.Number() >= deadline: // :717
		c.conclude(index, "Expired", nil)
	default:
		r.alarms[index] = deadline
	}
}

// delegate is do_approve with Review, and schedule_for_review (:822, :886).
func (r *referenda) delegate(c *Chain, index uint32, info *scale.Record, bounded any) {
	who, _ := info.Get("proposer")
	voters := slices.Concat(c.collective("Economic"), c.collective("Building")) // tracks.rs:98
	if len(voters) == 0 {
		c.Emit("Referenda", "ReviewSchedulingFailed", map[string]any{"index": index, "track": uint8(1)})
		r.alarms[index] = numberIn(info, "submitted") + DecisionPeriod
		return
	}
	review := c.open(who.(tao.Account), 1, "Review", &scale.Variant{Name: "Adjustable", Value: map[string]any{ // tracks.rs:103
		"initial_delay": uint32(ReviewDelay), "max_delay": uint32(ReviewLongest),
		"fast_track_threshold": uint32(750_000_000), "cancel_threshold": uint32(510_000_000),
	}}, voters)
	c.schedule(review, c.Number()+ReviewDelay, chain.Call{Pallet: "Referenda", Name: "enact", Args: chain.Args{"index": review, "call": c.peek(bounded)}})
	c.conclude(index, "Delegated", map[string]any{"index": index, "review": review, "track": uint8(1)})
}

// peek reads the call of a Bounded.
func (c *Chain) peek(bounded any) chain.Call {
	b := bounded.(*scale.Variant)
	encoded, inline := b.Value.([]byte)
	if !inline {
		r := b.Value.(*scale.Record)
		hash, _ := r.Get("hash")
		encoded = c.Get("Preimage", "PreimageFor", []any{hash, numberIn(r, "len")}).([]byte)
	}
	call, err := c.n.runtime.Decode(encoded)
	if err != nil {
		fail("%v", err)
	}
	return call
}

// adjust is do_adjust_delay (:989) with the runtime's curve (tracks.rs:35).
func (c *Chain) adjust(index, yes, no, submitted uint32, strategy *scale.Record) {
	initial, longest := numberIn(strategy, "initial_delay"), numberIn(strategy, "max_delay")
	var delay uint32
	if yes >= no {
		delay = mulFloor(billion-curve(rational(yes-no, numberIn(strategy, "fast_track_threshold"))), initial)
	} else {
		delay = initial + mulFloor(curve(rational(no-yes, numberIn(strategy, "cancel_threshold"))), longest-initial)
	}
	target := submitted + delay
	if target <= c.Number() { // :1016
		c.fastTrack(index)
		return
	}
	c.reschedule(index, target)
}

func mulFloor(part, n uint32) uint32 { return uint32(uint64(part) * uint64(n) / billion) }

func curve(progress uint32) uint32 {
	left := uint64(billion - progress)
	high, low := bits.Mul64(left*left, left)
	cubed, _ := bits.Div64(high, low, billion*billion)
	return billion - uint32(cubed)
}

// fastTrack is :946: the call runs in the next block.
func (c *Chain) fastTrack(index uint32) {
	c.reschedule(index, c.Number()+1)
	c.conclude(index, "FastTracked", nil)
}

// conclude is :794. The votes themselves are cleared later, by an idle block.
func (c *Chain) conclude(index uint32, as string, fields map[string]any) {
	if info := c.ongoing(index); info != nil {
		who, _ := info.Get("proposer")
		c.Set("Referenda", "ActiveCount", c.number("ActiveCount")-1)
		c.Set("Referenda", "ActivePerProposer", c.number("ActivePerProposer", who)-1, who)
		c.Remove("SignedVoting", "TallyOf", index)
		c.Remove("SignedVoting", "VoterSetOf", index)
	}
	c.Set("Referenda", "ReferendumStatusFor", &scale.Variant{Name: as, Value: c.Number()}, index)
	if fields == nil {
		fields = map[string]any{"index": index}
	}
	c.Emit("Referenda", as, fields)
}

// taskName is pallets/referenda/src/types.rs:415.
func taskName(index uint32) tao.Hash {
	return blake2b.Sum256(append([]byte("referend\x24enactment"), byte(index), byte(index>>8), byte(index>>16), byte(index>>24)))
}

// dispatchTime is :1087.
func (c *Chain) dispatchTime(index uint32) (uint32, bool) {
	at, ok := c.Get("Scheduler", "Lookup", taskName(index)).([]any)
	if !ok {
		return 0, false
	}
	return at[0].(uint32), true
}

// schedule puts a named task on the agenda with root's power (:1059).
func (c *Chain) schedule(index, block uint32, call chain.Call) {
	wrapped := c.bound(call)
	c.place(index, block, map[string]any{
		"maybe_id": taskName(index), "priority": uint8(0), "call": wrapped, "maybe_periodic": nil,
		"origin": &scale.Variant{Name: "system", Value: "Root"},
	})
	c.Set("Referenda", "EnactmentTask", wrapped, index)
}

func (c *Chain) place(index, block uint32, task any) {
	tasks, _ := c.Get("Scheduler", "Agenda", block).([]any)
	c.Set("Scheduler", "Agenda", append(tasks, task), block)
	c.Set("Scheduler", "Lookup", []any{block, uint32(len(tasks))}, taskName(index))
}

// unschedule takes a task from the agenda.
func (c *Chain) unschedule(index uint32) any {
	at, ok := c.Get("Scheduler", "Lookup", taskName(index)).([]any)
	if !ok {
		return nil
	}
	tasks := c.Get("Scheduler", "Agenda", at[0]).([]any)
	task := tasks[at[1].(uint32)]
	tasks[at[1].(uint32)] = nil
	c.Set("Scheduler", "Agenda", tasks, at[0])
	c.Remove("Scheduler", "Lookup", taskName(index))
	return task
}

func (c *Chain) reschedule(index, block uint32) {
	if now, set := c.dispatchTime(index); !set || now == block {
		return
	}
	c.place(index, block, c.unschedule(index))
}

// runTask is enact (:633): the call runs with root's power, and the referendum is
// enacted whether that went well or not.
func (c *Chain) runTask(index uint32) {
	task := c.unschedule(index).(*scale.Record)
	c.Remove("Referenda", "EnactmentTask", index)
	bounded, _ := task.Get("call")
	inner := c.peek(bounded).Args["call"].(chain.Call)
	failure := c.Dispatch(tao.Account{}, inner)
	c.conclude(index, "Enacted", map[string]any{"index": index, "when": c.Number(), "error": failure})
}
