package embedded

import (
	"math/bits"
	"slices"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// The referenda are those of subtensor's branch governance-wiring at commit d0910bde9
// (pallets/referenda/src/lib.rs, where no other file is named). No live chain has
// them yet. One thing is other than there: alarms are no scheduled calls, but kept
// by this engine.

var collectives = pallet{
	name: "MultiCollective", index: 33,
	storage: `Members: Blake2_128Concat(CollectiveId) -> Vec<AccountId>`,
	events:  `3 MembersSet{collective_id: CollectiveId, incoming: Vec<AccountId>, outgoing: Vec<AccountId>}`,
}

var signedVoting = pallet{
	name: "SignedVoting", index: 34,
	storage: `
		VotingFor: Twox64Concat(u32) Twox64Concat(AccountId) -> ?bool
		TallyOf: Twox64Concat(u32) -> ?SignedVoteTally
		VoterSetOf: Twox64Concat(u32) -> ?Vec<AccountId>`,
	calls: []call{
		{"0 vote{poll_index: u32, approve: bool}", castVote},
		{"1 remove_vote{poll_index: u32}", takeVoteBack},
	},
	events: `
		0 Voted{who: AccountId, poll_index: u32, approve: bool, tally: SignedVoteTally}
		1 VoteRemoved{who: AccountId, poll_index: u32, tally: SignedVoteTally}`,
	errors: `
		0 PollNotOngoing -- it is not voted on any more, or was never
		3 NotInVoterSet -- the signer has no vote on it
		4 DuplicateVote -- the signer has voted so already
		5 VoteNotFound -- the signer has not voted`,
}

var referenda = pallet{
	name: "Referenda", index: 35,
	storage: `
		ReferendumCount: u32
		ActiveCount: u32
		ActivePerProposer: Blake2_128Concat(AccountId) -> u32
		ReferendumStatusFor: Blake2_128Concat(u32) -> ?ReferendumStatus
		EnactmentTask: Blake2_128Concat(u32) -> ?BoundedCall`,
	calls: []call{
		{"0 submit{track: u8, call: Call}", submitReferendum},
		{"3 enact{index: u32, call: Call}", enact},
	},
	events: `
		0 Submitted{index: u32, track: u8, proposer: AccountId}
		2 Delegated{index: u32, review: u32, track: u8}
		3 ReviewSchedulingFailed{index: u32, track: u8}
		4 Rejected{index: u32}
		5 Cancelled{index: u32}
		7 Expired{index: u32}
		8 FastTracked{index: u32}
		9 Enacted{index: u32, when: u32, error: Option<DispatchError>}`,
	errors: `
		0 BadTrack -- there is no such track
		1 TrackNotSubmittable -- nothing is submitted on this track
		2 NotProposer -- the signer is not one of the proposers
		5 QueueFull -- too many referenda are open
		6 ProposerQuotaExceeded -- the signer has too many referenda open
		10 EmptyVoterSet -- nobody could vote on it`,
}

var scheduler = pallet{
	name: "Scheduler", index: 15,
	storage: `
		Agenda: Twox64Concat(u32) -> Vec<Option<ScheduledCall>>
		Lookup: Twox64Concat([u8; 32]) -> ?(u32, u32)`,
}

var preimage = pallet{
	name: "Preimage", index: 14,
	storage: `
		RequestStatusFor: Identity(H256) -> ?PreimageStatus
		PreimageFor: Identity((H256, u32)) -> ?Vec<u8>`,
}

var (
	collective   = item[[]tao.Account]{"MultiCollective", "Members"} // by the collective's name
	votes        = item[bool]{"SignedVoting", "VotingFor"}           // index, account
	tallies      = item[any]{"SignedVoting", "TallyOf"}
	voterSets    = item[[]tao.Account]{"SignedVoting", "VoterSetOf"}
	refCount     = item[uint32]{"Referenda", "ReferendumCount"}
	refActive    = item[uint32]{"Referenda", "ActiveCount"}
	refByAuthor  = item[uint32]{"Referenda", "ActivePerProposer"}
	refStatus    = item[any]{"Referenda", "ReferendumStatusFor"}
	refTask      = item[any]{"Referenda", "EnactmentTask"}
	alarms       = item[uint32]{"Embedded", "Alarms"}  // at which block a referendum is looked at
	agenda       = item[[]any]{"Scheduler", "Agenda"}  // by block
	lookup       = item[taskAt]{"Scheduler", "Lookup"} // by the task's name
	preimages    = item[[]byte]{"Preimage", "PreimageFor"}
	preimageAsks = item[any]{"Preimage", "RequestStatusFor"}
)

// taskAt is where a task stands: the block, and the place on its agenda.
type taskAt struct{ Block, Place uint32 }

// Times of the tracks in blocks: those of a fast build (runtime/src/governance/
// tracks.rs:19, :21, :28).
const (
	decisionPeriod = 50
	reviewDelay    = 30
	reviewLongest  = 60
	mostReferenda  = 20 // :502
	mostByAuthor   = 5
	billion        = 1_000_000_000
)

// submitReferendum is :484. Track 1 has no proposers, and other tracks do not exist
// (runtime/src/governance/tracks.rs:68).
func submitReferendum(x *exec, from origin, a args) error {
	who, err := from.signed()
	track := arg[uint8](a, "track")
	name := ""
	switch {
	case err != nil:
		return err
	case track == 1:
		name = "TrackNotSubmittable"
	case track != 0:
		name = "BadTrack"
	case !slices.Contains(collective.get(x, "Proposers"), who):
		name = "NotProposer"
	case len(collective.get(x, "Triumvirate")) == 0:
		name = "EmptyVoterSet"
	case refActive.get(x) >= mostReferenda:
		name = "QueueFull"
	case refByAuthor.get(x, who) >= mostByAuthor:
		name = "ProposerQuotaExceeded"
	}
	if name != "" {
		return moduleError{"Referenda", name}
	}
	index := x.openReferendum(who, 0, &scale.Variant{Name: "Action", Value: x.bound(arg[*scale.Variant](a, "call"))},
		&scale.Variant{Name: "PassOrFail", Value: map[string]any{
			"decision_period": uint32(decisionPeriod), "approve_threshold": uint32(666_666_666), "reject_threshold": uint32(666_666_666),
			"on_approval": &scale.Variant{Name: "Review", Value: map[string]any{"track": uint8(1)}}, // tracks.rs:76
		}}, collective.get(x, "Triumvirate"))
	alarms.set(x, number.get(x)+decisionPeriod, index) // :519
	x.emit("Referenda", "Submitted", map[string]any{"index": index, "track": uint8(0), "proposer": who})
	return nil
}

// openReferendum stores one that is ongoing (:509 to :541), and the snapshot of its
// voters (pallets/signed-voting/src/lib.rs:533).
func (x *exec) openReferendum(who tao.Account, track uint8, proposal, strategy any, voters []tao.Account) uint32 {
	index := refCount.get(x)
	refCount.set(x, index+1)
	refActive.set(x, refActive.get(x)+1)
	refByAuthor.set(x, refByAuthor.get(x, who)+1, who)
	refStatus.set(x, &scale.Variant{Name: "Ongoing", Value: map[string]any{
		"track": track, "proposal": proposal, "proposer": who, "submitted": number.get(x), "decision_strategy": strategy,
		"tally": map[string]any{"approval": uint32(0), "rejection": uint32(0), "abstention": uint32(billion)},
	}}, index)
	slices.SortFunc(voters, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
	voters = slices.Compact(voters)
	voterSets.set(x, voters, index)
	tallies.set(x, map[string]any{"ayes": uint32(0), "nays": uint32(0), "total": uint32(len(voters))}, index)
	return index
}

// bound is StorePreimage::bound: short calls as they are, others by hash
// (polkadot-sdk, substrate/frame/support/src/traits/preimages.rs).
func (x *exec) bound(call *scale.Variant) any {
	encoded := must(x.d.metadata.Encode(nil, x.d.metadata.Extrinsic().Call, call))
	if len(encoded) <= 128 {
		return &scale.Variant{Name: "Inline", Value: encoded}
	}
	hash, length := tao.Hash(blake2b.Sum256(encoded)), uint32(len(encoded))
	preimages.set(x, encoded, []any{hash, length})
	preimageAsks.set(x, &scale.Variant{Name: "Requested", Value: map[string]any{
		"maybe_ticket": nil, "count": uint32(1), "maybe_len": length,
	}}, hash)
	return &scale.Variant{Name: "Lookup", Value: map[string]any{"hash": hash, "len": length}}
}

// peek reads the call of a Bounded.
func (x *exec) peek(bounded any) *scale.Variant {
	b := bounded.(*scale.Variant)
	encoded, inline := b.Value.([]byte)
	if !inline {
		r := b.Value.(*scale.Record)
		hash, _ := r.Get("hash")
		encoded = preimages.get(x, []any{hash, numberIn(r, "len")})
	}
	var call any
	must(0, x.d.metadata.Decode(x.d.metadata.Extrinsic().Call, encoded, &call))
	return call.(*scale.Variant)
}

// ongoing is the ReferendumInfo of one that is (:1079).
func (x *exec) ongoing(index uint32) *scale.Record {
	s, _ := refStatus.get(x, index).(*scale.Variant)
	if s == nil || s.Name != "Ongoing" {
		return nil
	}
	return s.Value.(*scale.Record)
}

// mayVote is what vote and remove_vote ensure (pallets/signed-voting/src/lib.rs:339,
// :365).
func (x *exec) mayVote(from origin, index uint32) (tao.Account, error) {
	who, err := from.signed()
	switch {
	case err != nil:
		return who, err
	case x.ongoing(index) == nil:
		return who, moduleError{"SignedVoting", "PollNotOngoing"}
	case !slices.Contains(voterSets.get(x, index), who):
		return who, moduleError{"SignedVoting", "NotInVoterSet"}
	}
	return who, nil
}

// castVote is pallets/signed-voting/src/lib.rs:332, :382.
func castVote(x *exec, from origin, a args) error {
	index, approve := arg[uint32](a, "poll_index"), a.flag("approve")
	who, err := x.mayVote(from, index)
	if err != nil {
		return err
	}
	if votes.has(x, index, who) && votes.get(x, index, who) == approve {
		return moduleError{"SignedVoting", "DuplicateVote"}
	}
	votes.set(x, approve, index, who)
	x.emit("SignedVoting", "Voted", map[string]any{"who": who, "poll_index": index, "approve": approve, "tally": x.tallied(index)})
	return nil
}

// takeVoteBack is pallets/signed-voting/src/lib.rs:362, :422.
func takeVoteBack(x *exec, from origin, a args) error {
	index := arg[uint32](a, "poll_index")
	who, err := x.mayVote(from, index)
	if err != nil {
		return err
	}
	if !votes.has(x, index, who) {
		return moduleError{"SignedVoting", "VoteNotFound"}
	}
	votes.remove(x, index, who)
	x.emit("SignedVoting", "VoteRemoved", map[string]any{"who": who, "poll_index": index, "tally": x.tallied(index)})
	return nil
}

// tallied counts the votes anew, and sets the alarm that looks at them in the next
// block (:1116).
func (x *exec) tallied(index uint32) any {
	voters := voterSets.get(x, index)
	var ayes, nays uint32
	for _, v := range voters {
		switch {
		case !votes.has(x, index, v):
		case votes.get(x, index, v):
			ayes++
		default:
			nays++
		}
	}
	total := uint32(len(voters))
	tally := map[string]any{"ayes": ayes, "nays": nays, "total": total}
	tallies.set(x, tally, index)
	info := x.ongoing(index)
	yes, no := rational(ayes, total), rational(nays, total) // signed-voting :103
	for i, f := range info.Fields {
		if f.Name == "tally" {
			info.Fields[i].Value = map[string]any{"approval": yes, "rejection": no, "abstention": billion - yes - no}
		}
	}
	refStatus.set(x, &scale.Variant{Name: "Ongoing", Value: info}, index)
	alarms.set(x, number.get(x)+1, index)
	return tally
}

// rational is Perbill::from_rational.
func rational(part, whole uint32) uint32 {
	if part >= whole {
		return billion
	}
	return uint32(uint64(part) * billion / uint64(whole))
}

// referendaInBlock runs what is due: alarms, and then scheduled enactments.
func (x *exec) referendaInBlock() {
	now := number.get(x)
	for index := range refCount.get(x) {
		if alarms.has(x, index) && alarms.get(x, index) <= now {
			alarms.remove(x, index)
			if info := x.ongoing(index); info != nil {
				x.advance(index, info)
			}
		}
	}
	for index := range refCount.get(x) {
		if block, due := x.dispatchTime(index); due && block <= now {
			x.runTask(index)
		}
	}
}

func numberIn(r *scale.Record, name string) uint32 {
	v, _ := r.Get(name)
	return v.(uint32)
}

// recordIn is a field's record, of a variant's where the field is an enum.
func recordIn(r *scale.Record, name string) *scale.Record {
	v, _ := r.Get(name)
	if variant, ok := v.(*scale.Variant); ok {
		v = variant.Value
	}
	inner, _ := v.(*scale.Record)
	return inner
}

// advance is advance_ongoing (:739).
func (x *exec) advance(index uint32, info *scale.Record) {
	tally, strategy := recordIn(info, "tally"), recordIn(info, "decision_strategy")
	yes, no := numberIn(tally, "approval"), numberIn(tally, "rejection")
	field, _ := info.Get("proposal")
	proposal, submitted := field.(*scale.Variant), numberIn(info, "submitted")
	if proposal.Name == "Review" {
		x.advanceReview(index, yes, no, submitted, strategy)
		return
	}
	deadline := submitted + numberIn(strategy, "decision_period")
	switch {
	case yes >= numberIn(strategy, "approve_threshold"):
		x.delegateReferendum(index, info, proposal.Value)
	case no >= numberIn(strategy, "reject_threshold"):
		x.conclude(index, "Rejected", nil)
	case number.get(x) >= deadline: // :717
		x.conclude(index, "Expired", nil)
	default:
		alarms.set(x, deadline, index)
	}
}

func (x *exec) advanceReview(index, yes, no, submitted uint32, strategy *scale.Record) {
	switch {
	case yes >= numberIn(strategy, "fast_track_threshold"):
		x.fastTrack(index)
	case no >= numberIn(strategy, "cancel_threshold"):
		x.unschedule(index) // :965
		refTask.remove(x, index)
		x.conclude(index, "Cancelled", nil)
	default:
		x.adjust(index, yes, no, submitted, strategy)
	}
}

// delegateReferendum is do_approve with Review, and schedule_for_review (:822, :886).
func (x *exec) delegateReferendum(index uint32, info *scale.Record, bounded any) {
	field, _ := info.Get("proposer")
	who := accountOf(field)
	voters := slices.Concat(collective.get(x, "Economic"), collective.get(x, "Building")) // tracks.rs:98
	if len(voters) == 0 {
		x.emit("Referenda", "ReviewSchedulingFailed", map[string]any{"index": index, "track": uint8(1)})
		alarms.set(x, numberIn(info, "submitted")+decisionPeriod, index)
		return
	}
	review := x.openReferendum(who, 1, &scale.Variant{Name: "Review"}, &scale.Variant{Name: "Adjustable", Value: map[string]any{ // tracks.rs:103
		"initial_delay": uint32(reviewDelay), "max_delay": uint32(reviewLongest),
		"fast_track_threshold": uint32(750_000_000), "cancel_threshold": uint32(510_000_000),
	}}, voters)
	x.schedule(review, number.get(x)+reviewDelay, &scale.Variant{Name: "Referenda", Value: &scale.Variant{
		Name: "enact", Value: map[string]any{"index": review, "call": x.peek(bounded)},
	}})
	x.conclude(index, "Delegated", map[string]any{"index": index, "review": review, "track": uint8(1)})
}

// adjust is do_adjust_delay (:989) with the runtime's curve (tracks.rs:35).
func (x *exec) adjust(index, yes, no, submitted uint32, strategy *scale.Record) {
	initial, longest := numberIn(strategy, "initial_delay"), numberIn(strategy, "max_delay")
	var delay uint32
	if yes >= no {
		delay = mulFloor(billion-curve(rational(yes-no, numberIn(strategy, "fast_track_threshold"))), initial)
	} else {
		delay = initial + mulFloor(curve(rational(no-yes, numberIn(strategy, "cancel_threshold"))), longest-initial)
	}
	target := submitted + delay
	if target <= number.get(x) { // :1016
		x.fastTrack(index)
		return
	}
	x.reschedule(index, target)
}

func mulFloor(part, n uint32) uint32 { return uint32(uint64(part) * uint64(n) / billion) }

func curve(progress uint32) uint32 {
	left := uint64(billion - progress)
	high, low := bits.Mul64(left*left, left)
	cubed, _ := bits.Div64(high, low, billion*billion)
	return billion - uint32(cubed)
}

// fastTrack is :946: the call runs in the next block.
func (x *exec) fastTrack(index uint32) {
	x.reschedule(index, number.get(x)+1)
	x.conclude(index, "FastTracked", nil)
}

// conclude is :794. The votes themselves are cleared later, by an idle block.
func (x *exec) conclude(index uint32, as string, fields map[string]any) {
	if info := x.ongoing(index); info != nil {
		field, _ := info.Get("proposer")
		who := accountOf(field)
		refActive.set(x, refActive.get(x)-1)
		refByAuthor.set(x, refByAuthor.get(x, who)-1, who)
		tallies.remove(x, index)
		voterSets.remove(x, index)
	}
	refStatus.set(x, &scale.Variant{Name: as, Value: number.get(x)}, index)
	if fields == nil {
		fields = map[string]any{"index": index}
	}
	x.emit("Referenda", as, fields)
}

// taskName is pallets/referenda/src/types.rs:415.
func taskName(index uint32) [32]byte {
	return blake2b.Sum256(append([]byte("referend\x24enactment"), byte(index), byte(index>>8), byte(index>>16), byte(index>>24)))
}

// dispatchTime is :1087.
func (x *exec) dispatchTime(index uint32) (uint32, bool) {
	if !lookup.has(x, taskName(index)) {
		return 0, false
	}
	return lookup.get(x, taskName(index)).Block, true
}

// schedule puts a named task on the agenda with root's power (:1059).
func (x *exec) schedule(index, block uint32, call *scale.Variant) {
	wrapped := x.bound(call)
	x.place(index, block, map[string]any{
		"maybe_id": taskName(index), "priority": uint8(0), "call": wrapped, "maybe_periodic": nil,
		"origin": &scale.Variant{Name: "system", Value: &scale.Variant{Name: "Root"}},
	})
	refTask.set(x, wrapped, index)
}

func (x *exec) place(index, block uint32, task any) {
	tasks := agenda.get(x, block)
	agenda.set(x, append(tasks, task), block)
	lookup.set(x, taskAt{block, uint32(len(tasks))}, taskName(index))
}

// unschedule takes a task from the agenda.
func (x *exec) unschedule(index uint32) any {
	if !lookup.has(x, taskName(index)) {
		return nil
	}
	at := lookup.get(x, taskName(index))
	tasks := agenda.get(x, at.Block)
	task := tasks[at.Place]
	tasks[at.Place] = nil
	agenda.set(x, tasks, at.Block)
	lookup.remove(x, taskName(index))
	return task
}

func (x *exec) reschedule(index, block uint32) {
	if now, set := x.dispatchTime(index); !set || now == block {
		return
	}
	x.place(index, block, x.unschedule(index))
}

// runTask makes the call that was scheduled.
func (x *exec) runTask(index uint32) {
	task := x.unschedule(index).(*scale.Record)
	bounded, _ := task.Get("call")
	if err := x.dispatch(origin{root: true}, x.peek(bounded)); err != nil {
		panic(err.Error()) // enact does not fail for root
	}
}

// enact is :633: the call runs with root's power, and the referendum is enacted
// whether that went well or not.
func enact(x *exec, from origin, a args) error {
	if !from.root {
		return errBadOrigin
	}
	index := arg[uint32](a, "index")
	refTask.remove(x, index)
	var failure any
	if err := x.dispatch(origin{root: true}, arg[*scale.Variant](a, "call")); err != nil {
		failure = x.dispatchValue(err)
	}
	x.conclude(index, "Enacted", map[string]any{"index": index, "when": number.get(x), "error": failure})
	return nil
}
