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
	referendaPallet  = "Referenda"
	votingPallet     = "SignedVoting"
	bodiesPallet     = "MultiCollective"
	sudoPallet       = "Sudo"
	multisigPallet   = "Multisig"
)

var (
	motions     = chain.Item[[]tao.Hash]{Pallet: collectivePallet, Name: "Proposals"}
	motionCalls = chain.Item[any]{Pallet: collectivePallet, Name: "ProposalOf"}
	motionVotes = chain.Item[motionVote]{Pallet: collectivePallet, Name: "Voting"}
	proposers   = chain.Item[[]tao.Account]{Pallet: "TriumvirateMembers", Name: "Members"}
	senators    = chain.Item[[]tao.Account]{Pallet: senatePallet, Name: "Members"}
	hotkeyOwner = chain.Item[tao.Account]{Pallet: subtensor, Name: "Owner"}

	sudoKey    = chain.Item[tao.Account]{Pallet: sudoPallet, Name: "Key"}
	multisigs  = chain.Item[multisigOperation]{Pallet: multisigPallet, Name: "Multisigs"}
	agenda     = chain.Item[any]{Pallet: "Scheduler", Name: "Agenda"}
	proxies    = chain.Item[any]{Pallet: "Proxy", Name: "Proxies"}
	authorized = chain.Item[any]{Pallet: "System", Name: "AuthorizedUpgrade"}

	blockTime = chain.Item[uint64]{Pallet: "Timestamp", Name: "Now"}            // milliseconds since 1970
	halfSlot  = chain.Const[uint64]{Pallet: "Timestamp", Name: "MinimumPeriod"} // milliseconds; a slot is twice that

	referenda      = chain.Item[any]{Pallet: referendaPallet, Name: "ReferendumStatusFor"}
	referendaBody  = chain.Item[[]tao.Account]{Pallet: bodiesPallet, Name: "Members"}
	referendaVoter = chain.Item[[]tao.Account]{Pallet: votingPallet, Name: "VoterSetOf"}
	referendaVotes = chain.Item[bool]{Pallet: votingPallet, Name: "VotingFor"}
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
