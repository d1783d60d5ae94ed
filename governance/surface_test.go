package governance

import (
	"slices"
	"testing"

	"github.com/taoctl/taoctl/internal/declared"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
)

// runtimes are all stored metadata, and those that are declared.
func runtimes(t *testing.T) map[string]*scale.Metadata {
	t.Helper()
	blobs := map[string][]byte{declared.ReferendaName: declared.Referenda(t)}
	for _, name := range fixture.Names(t) {
		blobs[name] = fixture.Metadata(t, name)
	}
	all := map[string]*scale.Metadata{}
	for name, blob := range blobs {
		m, err := scale.ParseMetadata(blob)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = m
	}
	return all
}

// need is a name of the chain and what is needed of it.
type need struct {
	pallet, storage, call, event string
	keys                         int      // of a storage entry
	args                         []string // all arguments of a call, or fields of an event that are read
}

const (
	anywhere  = ""           // on every runtime that has the pallet, from spec 149 on
	newer     = "newer"      // on some that have the pallet
	inSenate  = "senate"     // on every runtime with a senate
	inForum   = "forum"      // on every runtime with referenda
	firstSpec = "testfinney" // spec 103 has Sudo alone
)

var needs = map[string][]need{
	anywhere: {
		{pallet: sudoPallet, storage: sudoKey.Name},
		{pallet: sudoPallet, call: sudo, args: []string{"call"}},
		{pallet: sudoPallet, call: sudoRoot, args: []string{"call", "weight"}},
		{pallet: sudoPallet, call: setKey, args: []string{"new"}},
		{pallet: systemPallet, call: setCode, args: []string{"code"}},
		{pallet: systemPallet, call: setCodeBlind, args: []string{"code"}},
		{pallet: multisigPallet, storage: multisigs.Name, keys: 2},
		{pallet: multisigPallet, call: asMulti, args: []string{"threshold", "other_signatories", "maybe_timepoint", "call", "max_weight"}},
		{pallet: multisigPallet, call: approveAsMulti, args: []string{"threshold", "other_signatories", "maybe_timepoint", "call_hash", "max_weight"}},
		{pallet: proxyPallet, storage: proxies.Name, keys: 1},
		{pallet: proxyPallet, call: viaProxy, args: []string{"real", "force_proxy_type", "call"}},
		{pallet: schedulerPallet, storage: agenda.Name, keys: 1},
		{pallet: schedulerPallet, storage: lookup.Name, keys: 1},
		{pallet: preimagePallet, storage: preimages.Name, keys: 1},
		{pallet: preimagePallet, storage: preimageStatus.Name, keys: 1},
		{pallet: preimagePallet, storage: preimageRequest.Name, keys: 1},
		{pallet: timestampPallet, storage: blockTime.Name},
		{pallet: subtensor, storage: hotkeyOwner.Name, keys: 1},
	},
	newer: {
		{pallet: systemPallet, storage: authorized.Name},
		{pallet: systemPallet, call: authorize, args: []string{"code_hash"}},
		{pallet: subtensor, storage: identities[0].Name, keys: 1},
		{pallet: subtensor, storage: identities[1].Name, keys: 1},
	},
	inSenate: {
		{pallet: collectivePallet, storage: motions.Name},
		{pallet: collectivePallet, storage: motionCalls.Name, keys: 1},
		{pallet: collectivePallet, storage: motionVotes.Name, keys: 1},
		{pallet: collectivePallet, storage: prime.Name},
		{pallet: proposers.Pallet, storage: proposers.Name},
		{pallet: senatePallet, storage: senators.Name},
		{pallet: collectivePallet, call: propose, args: []string{"proposal", "length_bound", "duration"}},
		{pallet: collectivePallet, call: closeMotion, args: []string{"proposal_hash", "index", "proposal_weight_bound", "length_bound"}},
		{pallet: subtensor, call: vote, args: []string{"hotkey", "proposal", "index", "approve"}},
		{pallet: subtensor, call: collectiveSudo, args: []string{"call"}},
		{pallet: subtensor, call: collectiveRoot, args: []string{"call", "weight"}},
		{pallet: collectivePallet, event: proposed, args: []string{"account", "proposal_index", "proposal_hash", "threshold"}},
		{pallet: collectivePallet, event: voted, args: []string{"account", "proposal_hash", "voted", "yes", "no"}},
		{pallet: collectivePallet, event: closed, args: []string{"proposal_hash", "yes", "no"}},
		{pallet: collectivePallet, event: approved, args: []string{"proposal_hash"}},
		{pallet: collectivePallet, event: disapproved, args: []string{"proposal_hash"}},
		{pallet: collectivePallet, event: "Executed", args: []string{"proposal_hash", "result"}},
	},
	inForum: {
		{pallet: referendaPallet, storage: referenda.Name, keys: 1},
		{pallet: referendaPallet, storage: referendaActive.Name},
		{pallet: referendaPallet, storage: referendaByAuthor.Name, keys: 1},
		{pallet: bodiesPallet, storage: referendaBody.Name, keys: 1},
		{pallet: votingPallet, storage: referendaVoter.Name, keys: 1},
		{pallet: votingPallet, storage: referendaVotes.Name, keys: 2},
		{pallet: referendaPallet, call: submit, args: []string{"track", "call"}},
		{pallet: referendaPallet, call: enact, args: []string{"index", "call"}},
		{pallet: votingPallet, call: vote, args: []string{"poll_index", "approve"}},
		{pallet: votingPallet, call: removeVote, args: []string{"poll_index"}},
		{pallet: referendaPallet, event: submitted, args: []string{"index", "track", "proposer"}},
		{pallet: votingPallet, event: voted, args: []string{"who", "poll_index", "approve", "tally"}},
		{pallet: votingPallet, event: voteRemoved, args: []string{"who", "poll_index", "tally"}},
	},
}

func names(fields []scale.FieldDef) (list []string) {
	for _, f := range fields {
		list = append(list, f.Name)
	}
	return list
}

// missing says what a runtime lacks of a need, "" if nothing.
func (n need) missing(m *scale.Metadata) string {
	p := m.Pallet(n.pallet)
	switch {
	case p == nil:
		return "the pallet"
	case n.storage != "":
		if e := p.Entry(n.storage); e == nil || len(e.Keys) != n.keys {
			return "storage " + n.storage
		}
	case n.call != "":
		if c := p.Call(n.call); c == nil || !slices.Equal(names(c.Fields), n.args) {
			return "call " + n.call
		}
	case n.event != "":
		e := p.Event(n.event)
		if e == nil || !slices.Equal(names(e.Fields), n.args) {
			return "event " + n.event
		}
	}
	return ""
}

// Every name of surface.go is where it is needed.
func TestSurface(t *testing.T) {
	for name, m := range runtimes(t) {
		first := name[:len(firstSpec)] == firstSpec
		for _, n := range needs[anywhere] {
			if what := n.missing(m); what != "" && !first {
				t.Errorf("%s has not %s of %s", name, what, n.pallet)
			}
		}
		for where, pallet := range map[string]string{inSenate: senatePallet, inForum: referendaPallet} {
			for _, n := range needs[where] {
				if what := n.missing(m); what != "" && m.Pallet(pallet) != nil {
					t.Errorf("%s has not %s of %s", name, what, n.pallet)
				}
			}
		}
	}
	for where, list := range needs {
		for _, n := range list {
			found := false
			for _, m := range runtimes(t) {
				found = found || n.missing(m) == ""
			}
			if !found {
				t.Errorf("%q: %+v is nowhere", where, n)
			}
		}
	}
}

// What a call would change is read from an entry of the same form: the netuid is
// its key, and the argument has its type. A setting that no runtime has is none.
func TestSettings(t *testing.T) {
	for call, s := range settings {
		seen := false
		for name, m := range runtimes(t) {
			if m.Pallet(adminPallet) == nil || m.Pallet(adminPallet).Call(call) == nil || m.Pallet(subtensor).Entry(s.item) == nil {
				continue
			}
			seen = true
			def, e := m.Pallet(adminPallet).Call(call), m.Pallet(subtensor).Entry(s.item)
			at := slices.IndexFunc(def.Fields, func(f scale.FieldDef) bool { return f.Name == s.arg })
			bySubnet := slices.Contains(names(def.Fields), "netuid")
			switch {
			case at < 0:
				t.Errorf("%s: %s has no argument %s", name, call, s.arg)
			case m.TypeName(def.Fields[at].Type) != m.TypeName(e.Value):
				t.Errorf("%s: %s takes %s, %s is %s", name, call, m.TypeName(def.Fields[at].Type), s.item, m.TypeName(e.Value))
			case bySubnet != (len(e.Keys) == 1) || len(e.Keys) > 1:
				t.Errorf("%s: %s by subnet is %v, and %s has %d keys", name, call, bySubnet, s.item, len(e.Keys))
			}
		}
		if !seen {
			t.Errorf("%s and %s are on no runtime", call, s.item)
		}
	}
}
