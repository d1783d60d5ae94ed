package declared

import (
	"testing"

	"github.com/taoctl/taoctl/scale"
)

// ReferendaName is what a test node calls this runtime: spec 424 is that of the
// branch.
const ReferendaName = "referenda-424-v14"

// Referenda are the metadata of a runtime with the pallets of subtensor's branch
// governance-wiring at commit d0910bde9, on top of the real ones of spec 393.
// The branch's own runtime has been built by nobody here: what the lines cited
// do not say, these metadata do not know.
func Referenda(tb testing.TB) []byte {
	tb.Helper()
	r := from(tb, "finney-393-v16")
	c := r.common()
	r.install(r.multiCollective(c))
	r.install(r.signedVoting(c))
	r.install(r.referenda(c))
	r.join()
	return r.encode()
}

// common are the types that the three pallets share.
type common struct {
	account, call, dispatchError, boundedCall scale.TypeID
	bool, u8, u32, perbill                    scale.TypeID
	accounts, collective                      scale.TypeID
}

func (r *runtime) common() common {
	c := common{
		account: r.named("sp_core::crypto::AccountId32"), call: r.base.Extrinsic().Call,
		dispatchError: r.named("sp_runtime::DispatchError"), boundedCall: r.boundedCall(),
		bool: r.primitive(scale.Bool), u8: r.primitive(scale.U8), u32: r.primitive(scale.U32),
	}
	c.perbill = r.newtype("sp_arithmetic::per_things::Perbill", c.u32)
	c.accounts = r.vec(c.account)
	// runtime/src/governance/collectives.rs:47 to :65
	c.collective = r.enum("node_subtensor_runtime::governance::collectives::CollectiveId",
		variant("Proposers"), variant("Triumvirate"), variant("Economic"), variant("Building"), variant("EconomicEligible"))
	return c
}

// boundedCall is Bounded<RuntimeCall, Hashing>, which the scheduler's agenda has
// too (pallets/referenda/src/types.rs:42).
func (r *runtime) boundedCall() scale.TypeID {
	agenda := r.base.Pallet("Scheduler").Entry("Agenda").Value
	for t := r.base.Type(agenda); t != nil; {
		switch t.Kind {
		case scale.KindComposite:
			for _, f := range t.Fields {
				if f.Name == "call" {
					return f.Type
				}
			}
			t = r.base.Type(t.Fields[0].Type)
		case scale.KindSequence:
			t = r.base.Type(t.Elem)
		case scale.KindVariant:
			t = r.base.Type(t.Variants[1].Fields[0].Type)
		default:
			t = nil
		}
	}
	r.tb.Fatal("declared: the scheduler's agenda has no call")
	return scale.NoType
}

func plain(name string, value scale.TypeID, zero ...byte) scale.Entry {
	return scale.Entry{Name: name, Value: value, Default: zero}
}

func mapped(name string, hasher scale.Hasher, key, value scale.TypeID, zero ...byte) scale.Entry {
	return scale.Entry{Name: name, Hashers: []scale.Hasher{hasher}, Keys: []scale.TypeID{key}, Value: value, Default: zero}
}

func optional(e scale.Entry) scale.Entry {
	e.Optional, e.Default = true, []byte{0}
	return e
}

func errors(r *runtime, path string, names ...string) scale.TypeID {
	var list []scale.VariantDef
	for _, n := range names {
		list = append(list, variant(n))
	}
	return r.enum(path, list...)
}

// multiCollective is pallets/multi-collective/src/lib.rs.
func (r *runtime) multiCollective(c common) pallet {
	id, who := field("collective_id", c.collective), field("who", c.account)
	return pallet{
		name: "MultiCollective", index: 33,
		storage: []scale.Entry{mapped("Members", scale.Blake2_128Concat, c.collective, c.accounts, 0)}, // :146
		calls: r.enum("pallet_multi_collective::pallet::Call", // :256 on
			variant("add_member", id, who), variant("remove_member", id, who),
			variant("swap_member", id, field("remove", c.account), field("add", c.account)),
			variant("set_members", id, field("members", c.accounts)), variant("force_rotate", id)),
		events: r.enum("pallet_multi_collective::pallet::Event", // :156
			variant("MemberAdded", id, who), variant("MemberRemoved", id, who),
			variant("MemberSwapped", id, field("removed", c.account), field("added", c.account)),
			variant("MembersSet", id, field("incoming", c.accounts), field("outgoing", c.accounts))),
		errors: errors(r, "pallet_multi_collective::pallet::Error", "AlreadyMember", "NotMember", "TooManyMembers", // :197
			"TooFewMembers", "CollectiveNotFound", "DuplicateAccounts", "CollectiveDoesNotRotate"),
	}
}

// signedVoting is pallets/signed-voting/src/lib.rs.
func (r *runtime) signedVoting(c common) pallet {
	tally := r.record("pallet_signed_voting::SignedVoteTally", field("ayes", c.u32), field("nays", c.u32), field("total", c.u32)) // :85
	who, poll := field("who", c.account), field("poll_index", c.u32)
	votes := scale.Entry{ // :186
		Name: "VotingFor", Hashers: []scale.Hasher{scale.Twox64Concat, scale.Twox64Concat},
		Keys: []scale.TypeID{c.u32, c.account}, Value: c.bool,
	}
	return pallet{
		name: "SignedVoting", index: 34,
		storage: []scale.Entry{
			optional(votes),
			optional(mapped("TallyOf", scale.Twox64Concat, c.u32, tally)),         // :203
			optional(mapped("VoterSetOf", scale.Twox64Concat, c.u32, c.accounts)), // :212
		},
		calls: r.enum("pallet_signed_voting::pallet::Call", // :332, :362
			variant("vote", poll, field("approve", c.bool)), variant("remove_vote", poll)),
		events: r.enum("pallet_signed_voting::pallet::Event", // :234
			variant("Voted", who, poll, field("approve", c.bool), field("tally", tally)),
			variant("VoteRemoved", who, poll, field("tally", tally)), variant("CleanupQueueFull", poll)),
		errors: errors(r, "pallet_signed_voting::pallet::Error", "PollNotOngoing", "PollNotFound", "InvalidVotingScheme", // :267
			"NotInVoterSet", "DuplicateVote", "VoteNotFound", "VoterSetMissing", "TallyMissing"),
	}
}

// referenda is pallets/referenda/src/lib.rs.
func (r *runtime) referenda(c common) pallet {
	index := field("index", c.u32)
	return pallet{
		name: "Referenda", index: 35,
		storage: []scale.Entry{
			plain("ReferendumCount", c.u32, 0, 0, 0, 0),                                         // :316
			plain("ActiveCount", c.u32, 0, 0, 0, 0),                                             // :322
			mapped("ActivePerProposer", scale.Blake2_128Concat, c.account, c.u32, 0, 0, 0, 0),   // :327
			optional(mapped("ReferendumStatusFor", scale.Blake2_128Concat, c.u32, r.status(c))), // :334
			optional(mapped("EnactmentTask", scale.Blake2_128Concat, c.u32, c.boundedCall)),     // :343
		},
		calls: r.enum("pallet_referenda::pallet::Call", // :484, :560, :608, :633
			variant("submit", field("track", c.u8), field("call", c.call)), variant("kill", index),
			variant("advance_referendum", index), variant("enact", index, field("call", c.call))),
		events: r.enum("pallet_referenda::pallet::Event", // :348
			variant("Submitted", index, field("track", c.u8), field("proposer", c.account)), variant("Approved", index),
			variant("Delegated", index, field("review", c.u32), field("track", c.u8)),
			variant("ReviewSchedulingFailed", index, field("track", c.u8)), variant("Rejected", index), variant("Cancelled", index),
			variant("Killed", index), variant("Expired", index), variant("FastTracked", index),
			variant("Enacted", index, field("when", c.u32), field("error", r.option(c.dispatchError))),
			variant("SchedulerOperationFailed", index)),
		errors: errors(r, "pallet_referenda::pallet::Error", "BadTrack", "TrackNotSubmittable", "NotProposer", // :431
			"ReferendumFinalized", "ProposalNotAuthorized", "QueueFull", "ProposerQuotaExceeded", "SchedulerError",
			"ReferendumNotFound", "Unreachable", "EmptyVoterSet"),
	}
}

// status is ReferendumStatus (pallets/referenda/src/types.rs:383).
func (r *runtime) status(c common) scale.TypeID {
	proposal := r.enum("pallet_referenda::types::Proposal", variant("Action", unnamed(c.boundedCall)), variant("Review")) // :78
	onApproval := r.enum("pallet_referenda::types::ApprovalAction", variant("Execute"), variant("Review", field("track", c.u8)))
	strategy := r.enum("pallet_referenda::types::DecisionStrategy", // :91
		variant("PassOrFail", field("decision_period", c.u32), field("approve_threshold", c.perbill),
			field("reject_threshold", c.perbill), field("on_approval", onApproval)),
		variant("Adjustable", field("initial_delay", c.u32), field("max_delay", c.u32),
			field("fast_track_threshold", c.perbill), field("cancel_threshold", c.perbill)))
	tally := r.record("subtensor_runtime_common::VoteTally", // common/src/lib.rs:551
		field("approval", c.perbill), field("rejection", c.perbill), field("abstention", c.perbill))
	info := r.record("pallet_referenda::types::ReferendumInfo", // :359
		field("track", c.u8), field("proposal", proposal), field("proposer", c.account), field("submitted", c.u32),
		field("tally", tally), field("decision_strategy", strategy))
	return r.enum("pallet_referenda::types::ReferendumStatus",
		variant("Ongoing", unnamed(info)), variant("Approved", unnamed(c.u32)), variant("Delegated", unnamed(c.u32)),
		variant("Rejected", unnamed(c.u32)), variant("Expired", unnamed(c.u32)), variant("FastTracked", unnamed(c.u32)),
		variant("Cancelled", unnamed(c.u32)), variant("Enacted", unnamed(c.u32)), variant("Killed", unnamed(c.u32)))
}
