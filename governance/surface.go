package governance

import (
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Every name of the chain that this package uses, but those of changes.go.
const (
	collectivePallet = "Triumvirate"
	senatePallet     = "SenateMembers"
	subtensor        = "SubtensorModule"
	adminPallet      = "AdminUtils"
	referendaPallet  = "Referenda"
	votingPallet     = "SignedVoting"
	bodiesPallet     = "MultiCollective"
	sudoPallet       = "Sudo"
	systemPallet     = "System"
	multisigPallet   = "Multisig"
	proxyPallet      = "Proxy"
	preimagePallet   = "Preimage"
	schedulerPallet  = "Scheduler"
	timestampPallet  = "Timestamp"
)

// Calls.
const (
	propose        = "propose"               // Triumvirate
	closeMotion    = "close"                 // Triumvirate
	vote           = "vote"                  // SubtensorModule (senate), SignedVoting
	collectiveSudo = "sudo"                  // SubtensorModule: root's power for a decided call
	collectiveRoot = "sudo_unchecked_weight" // SubtensorModule: likewise, whatever the call weighs
	submit         = "submit"                // Referenda
	enact          = "enact"                 // Referenda: how a decided call is scheduled
	removeVote     = "remove_vote"           // SignedVoting
	sudo           = "sudo"                  // Sudo
	sudoRoot       = "sudo_unchecked_weight" // Sudo
	setKey         = "set_key"               // Sudo
	setCode        = "set_code"              // System
	setCodeBlind   = "set_code_without_checks"
	authorize      = "authorize_upgrade" // System
	asMulti        = "as_multi"          // Multisig
	approveAsMulti = "approve_as_multi"  // Multisig
	viaProxy       = "proxy"             // Proxy
)

// Variants of the enums of referenda (subtensor d0910bde9,
// pallets/referenda/src/types.rs:79 to :145, :383).
const (
	ongoing    = "Ongoing"
	passOrFail = "PassOrFail"
	adjustable = "Adjustable"
)

// Events.
const (
	proposed    = "Proposed"    // Triumvirate
	voted       = "Voted"       // Triumvirate, SignedVoting
	closed      = "Closed"      // Triumvirate
	approved    = "Approved"    // Triumvirate
	disapproved = "Disapproved" // Triumvirate
	submitted   = "Submitted"   // Referenda
	voteRemoved = "VoteRemoved" // SignedVoting
)

var (
	motions     = chain.Item[[]tao.Hash]{Pallet: collectivePallet, Name: "Proposals"}
	motionCalls = chain.Item[any]{Pallet: collectivePallet, Name: "ProposalOf"}
	motionVotes = chain.Item[motionVote]{Pallet: collectivePallet, Name: "Voting"}
	prime       = chain.Item[tao.Account]{Pallet: collectivePallet, Name: "Prime"}
	proposers   = chain.Item[[]tao.Account]{Pallet: "TriumvirateMembers", Name: "Members"}
	senators    = chain.Item[[]tao.Account]{Pallet: senatePallet, Name: "Members"}
	hotkeyOwner = chain.Item[tao.Account]{Pallet: subtensor, Name: "Owner"}

	sudoKey    = chain.Item[tao.Account]{Pallet: sudoPallet, Name: "Key"}
	multisigs  = chain.Item[multisigOperation]{Pallet: multisigPallet, Name: "Multisigs"}
	agenda     = chain.Item[any]{Pallet: schedulerPallet, Name: "Agenda"}
	lookup     = chain.Item[any]{Pallet: schedulerPallet, Name: "Lookup"}
	proxies    = chain.Item[any]{Pallet: proxyPallet, Name: "Proxies"}
	authorized = chain.Item[any]{Pallet: systemPallet, Name: "AuthorizedUpgrade"}

	preimages       = chain.Item[[]byte]{Pallet: preimagePallet, Name: "PreimageFor"}
	preimageRequest = chain.Item[any]{Pallet: preimagePallet, Name: "RequestStatusFor"}
	preimageStatus  = chain.Item[any]{Pallet: preimagePallet, Name: "StatusFor"}

	// identities, the newer first.
	identities = []chain.Item[identity]{
		{Pallet: subtensor, Name: "IdentitiesV2"},
		{Pallet: subtensor, Name: "Identities"},
	}

	blockTime = chain.Item[uint64]{Pallet: timestampPallet, Name: "Now"}            // milliseconds since 1970
	halfSlot  = chain.Const[uint64]{Pallet: timestampPallet, Name: "MinimumPeriod"} // milliseconds; a slot is twice that

	referenda         = chain.Item[any]{Pallet: referendaPallet, Name: "ReferendumStatusFor"}
	referendaActive   = chain.Item[uint32]{Pallet: referendaPallet, Name: "ActiveCount"}
	referendaByAuthor = chain.Item[uint32]{Pallet: referendaPallet, Name: "ActivePerProposer"}
	referendaBody     = chain.Item[[]tao.Account]{Pallet: bodiesPallet, Name: "Members"}
	referendaVoter    = chain.Item[[]tao.Account]{Pallet: votingPallet, Name: "VoterSetOf"}
	referendaVotes    = chain.Item[bool]{Pallet: votingPallet, Name: "VotingFor"}
)

// motionVote is pallet collective's Votes (subtensor v1.2.4,
// pallets/collective/src/lib.rs).
type motionVote struct {
	Index     uint32
	Threshold uint32
	Ayes      []tao.Account
	Nays      []tao.Account
	End       uint32
}

// multisigOperation is pallet multisig's Multisig.
type multisigOperation struct {
	When struct {
		Height uint32
		Index  uint32
	}
	Depositor tao.Account
	Approvals []tao.Account
}

// has reports whether a runtime has a storage entry.
func has(rt *chain.Runtime, pallet, item string) bool {
	p := rt.Metadata().Pallet(pallet)
	return p != nil && p.Entry(item) != nil
}

// hasCall reports whether a runtime has a call.
func hasCall(rt *chain.Runtime, pallet, call string) bool {
	p := rt.Metadata().Pallet(pallet)
	return p != nil && p.Call(call) != nil
}
