package governance

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
	"golang.org/x/crypto/blake2b"
)

// Sudo is what there is beside votes: the key that may do anything, what waits
// for its signatories, and what is scheduled.
type Sudo struct {
	Key *Voter `json:"key,omitempty"`

	// Multisig is the group behind the key, where an operation that waits
	// tells it. An account does not say that it is a multisig: nil means that
	// nothing shows one.
	Multisig  *Multisig   `json:"multisig,omitempty"`
	Proxies   []Proxy     `json:"proxies"`
	Pending   []Operation `json:"pending"`
	Scheduled []Scheduled `json:"scheduled"`
	Upgrade   *tx.Value   `json:"authorized_upgrade,omitempty"`
	Upgrades  []string    `json:"upgrades" view:",lines"` // how a runtime is replaced
}

// Multisig is a group whose account is made of its members and its threshold.
type Multisig struct {
	Account     tao.Account `json:"account"`
	Threshold   uint16      `json:"threshold"`
	Signatories []Voter     `json:"signatories" view:",lines"`
}

// MultisigAccount is the account of a group: blake2-256 of "modlpy/utilisuba",
// the signatories in order as a vector, and the threshold (polkadot-sdk,
// substrate/frame/multisig/src/lib.rs, multi_account_id).
func MultisigAccount(signatories []tao.Account, threshold uint16) tao.Account {
	sorted := slices.Clone(signatories)
	slices.SortFunc(sorted, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
	b := scale.EncodeCompact([]byte("modlpy/utilisuba"), uint64(len(sorted)))
	for _, a := range sorted {
		b = append(b, a[:]...)
	}
	return tao.Account(blake2b.Sum256(binary.LittleEndian.AppendUint16(b, threshold)))
}

// Proxy may sign for the sudo key.
type Proxy struct {
	Delegate Voter  `json:"delegate"`
	Type     string `json:"type"`
	Delay    uint32 `json:"delay"` // blocks

	// Multisig is the group behind the delegate, where one shows.
	Multisig *Multisig `json:"multisig,omitempty"`
}

// Operation is a multisig's that waits for signatures.
type Operation struct {
	Account   tao.Account `json:"account"`
	Hash      tao.Hash    `json:"call_hash"`
	Block     uint32      `json:"block"` // where it was first approved
	Index     uint32      `json:"index"` // of the extrinsic in that block
	Depositor Voter       `json:"depositor"`
	Approvals []Voter     `json:"approvals" view:",lines"`
	Action
	group *Multisig
}

// Scheduled is a call that will run by itself.
type Scheduled struct {
	Block   uint32     `json:"block"`
	AtAbout *time.Time `json:"at_about,omitempty"`
	Origin  string     `json:"origin"` // with whose power: "system(Root)"
	Action
}

// SudoOf reads what is known of the sudo key at the view's block. What a runtime
// does not have is left empty.
func SudoOf(ctx context.Context, v *chain.View) (s Sudo, err error) {
	s = Sudo{Proxies: []Proxy{}, Pending: []Operation{}, Scheduled: []Scheduled{}, Upgrades: upgradesOf(v.Runtime())}
	if has(v.Runtime(), sudoPallet, sudoKey.Name) {
		key, set, err := sudoKey.Get(ctx, v)
		if err != nil {
			return s, err
		}
		if set {
			if err := s.readKey(ctx, v, key); err != nil {
				return s, err
			}
		}
	}
	if s.Scheduled, err = scheduled(ctx, v); err != nil {
		return s, err
	}
	if has(v.Runtime(), systemPallet, authorized.Name) {
		upgrade, set, err := authorized.Get(ctx, v)
		if err != nil {
			return s, err
		}
		if set {
			s.Upgrade = &tx.Value{V: upgrade}
		}
	}
	return s, nil
}

// upgradesOf tells how the code of a runtime is replaced there.
func upgradesOf(rt *chain.Runtime) []string {
	list := []string{}
	for _, way := range []struct{ pallet, call, text string }{
		{sudoPallet, sudoRoot, "the sudo key, or a proxy of it, signs Sudo.sudo_unchecked_weight(System.set_code(…)); the code rules from the next block"},
		{collectivePallet, propose, "the senate approves SubtensorModule.sudo_unchecked_weight(System.set_code(…)), and closing the vote runs it"},
		{referendaPallet, submit, "a referendum whose call is System.set_code(…) is enacted with root's power"},
		{systemPallet, authorize, "root authorizes a code's hash by System.authorize_upgrade, and then anybody may bring the code"},
	} {
		if hasCall(rt, way.pallet, way.call) {
			list = append(list, way.text)
		}
	}
	return list
}

// readKey reads who may sign for the key, and what waits for them.
func (s *Sudo) readKey(ctx context.Context, v *chain.View, key tao.Account) (err error) {
	if has(v.Runtime(), proxyPallet, proxies.Name) {
		list, _, err := proxies.Get(ctx, v, key)
		if err != nil {
			return err
		}
		s.Proxies = proxiesOf(list)
	}
	group, err := s.pendingOf(ctx, v, key)
	if err != nil {
		return err
	}
	s.Multisig, s.Key = group, &Voter{Account: key}
	for i := range s.Proxies {
		p := &s.Proxies[i]
		if p.Multisig, err = s.pendingOf(ctx, v, p.Delegate.Account); err != nil {
			return err
		}
	}
	return s.name(ctx, v)
}

// pendingOf adds what waits for an account, and tells the group behind it.
func (s *Sudo) pendingOf(ctx context.Context, v *chain.View, a tao.Account) (group *Multisig, _ error) {
	if !has(v.Runtime(), multisigPallet, multisigs.Name) {
		return nil, nil
	}
	list, err := pending(ctx, v, a)
	for _, o := range list {
		if o.group != nil {
			group = o.group
		}
	}
	s.Pending = append(s.Pending, list...)
	return group, err
}

// name looks up what all these accounts call themselves.
func (s *Sudo) name(ctx context.Context, v *chain.View) error {
	all := s.voters()
	d, err := namesOf(ctx, v, all.accounts())
	for _, voter := range all {
		voter.Name = d[voter.Account]
	}
	return err
}

type voterList []*Voter

func (l voterList) accounts() (list []tao.Account) {
	for _, v := range l {
		if !slices.Contains(list, v.Account) {
			list = append(list, v.Account)
		}
	}
	return list
}

// voters points at every account here that may have a name.
func (s *Sudo) voters() (all voterList) {
	add := func(list []Voter) {
		for i := range list {
			all = append(all, &list[i])
		}
	}
	all = append(all, s.Key)
	if s.Multisig != nil {
		add(s.Multisig.Signatories)
	}
	for i := range s.Proxies {
		all = append(all, &s.Proxies[i].Delegate)
		if m := s.Proxies[i].Multisig; m != nil {
			add(m.Signatories)
		}
	}
	for i := range s.Pending {
		all = append(all, &s.Pending[i].Depositor)
		add(s.Pending[i].Approvals)
	}
	return all
}

// proxiesOf reads the value of Proxy.Proxies: a list and its deposit.
func proxiesOf(stored any) []Proxy {
	list := []Proxy{}
	pair, _ := stored.([]any)
	if len(pair) == 0 {
		return list
	}
	entries, _ := pair[0].([]any)
	for _, e := range entries {
		r, ok := e.(*scale.Record)
		if !ok {
			continue
		}
		var p Proxy
		p.Delegate.Account, _ = field[tao.Account](r, "delegate")
		p.Delay, _ = field[uint32](r, "delay")
		p.Type = nameOf(r, "proxy_type")
		list = append(list, p)
	}
	return list
}

func nameOf(r *scale.Record, name string) string {
	x, _ := field[*scale.Variant](r, name)
	if x == nil {
		return ""
	}
	return x.Name
}

// pending lists a multisig's open operations, oldest first.
func pending(ctx context.Context, v *chain.View, account tao.Account) (list []Operation, _ error) {
	for e, err := range multisigs.All(ctx, v, account) {
		if err != nil {
			return nil, err
		}
		o := Operation{
			Account: account, Block: e.Value.When.Height, Index: e.Value.When.Index,
			Depositor: Voter{Account: e.Value.Depositor}, Approvals: directory(nil).voters(e.Value.Approvals),
		}
		var who tao.Account
		if err := e.Scan(&who, &o.Hash); err != nil {
			return nil, err
		}
		if err := o.recall(ctx, v); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	slices.SortFunc(list, func(a, b Operation) int {
		return slices.Compare([]uint32{a.Block, a.Index}, []uint32{b.Block, b.Index})
	})
	return list, nil
}

// recall looks at where the operation began: as_multi carries the call,
// approve_as_multi its hash alone, and both the signatories. A node that no
// longer has the block leaves all that unknown.
func (o *Operation) recall(ctx context.Context, v *chain.View) error {
	o.Action = unreadable("the chain holds only the hash of this call")
	x, err := extrinsicAt(ctx, v, o.Block, o.Index)
	if err != nil || x == nil {
		return err
	}
	signers := []tao.Account{x.Signer}
	for _, c := range append([]chain.Call{x.Call}, x.Call.Inner()...) {
		if real, ok := c.Args["real"].(tao.Account); ok && c.Pallet == proxyPallet {
			signers = append(signers, real)
		}
		if c.Pallet != multisigPallet || c.Name != asMulti && c.Name != approveAsMulti {
			continue
		}
		if o.group == nil {
			o.group = groupOf(o.Account, c, signers)
		}
		if err := o.recallCall(ctx, v, c); err != nil {
			return err
		}
	}
	return nil
}

// recallCall takes the call from where it was first approved, if the hash says
// that it is the one. It is encoded anew by the runtime that rules now, under
// which it would run.
func (o *Operation) recallCall(ctx context.Context, v *chain.View, approval chain.Call) error {
	inner, ok := approval.Args["call"].(chain.Call)
	if !ok {
		return nil
	}
	encoded, err := v.Runtime().Encode(inner)
	if err != nil || tao.Hash(blake2b.Sum256(encoded)) != o.Hash {
		return nil //nolint:nilerr // written for an earlier runtime, or another operation: it stays unknown
	}
	o.Action, err = describe(ctx, v, inner, encoded, &o.Hash)
	return err
}

// extrinsicAt reads one extrinsic of an earlier block, nil where it cannot be
// had or read any more.
func extrinsicAt(ctx context.Context, v *chain.View, block, index uint32) (*tx.Decoded, error) {
	hash, err := v.Client().Hash(ctx, chain.AtNumber(block))
	if err != nil {
		return nil, lostOr(err)
	}
	extrinsics, err := v.Client().Extrinsics(ctx, hash)
	if err != nil || uint64(index) >= uint64(len(extrinsics)) {
		return nil, lostOr(err)
	}
	x, err := tx.DecodeExtrinsic(v.Runtime(), extrinsics[index], v.Number())
	if err != nil {
		return nil, nil //nolint:nilerr // written for an earlier runtime
	}
	return x, nil
}

// groupOf tells the group that an approval names, if its account is the one:
// whoever signed is one of them, and the others are listed.
func groupOf(account tao.Account, approval chain.Call, signers []tao.Account) *Multisig {
	threshold, ok := approval.Args["threshold"].(uint16)
	list, isList := approval.Args["other_signatories"].([]any)
	if !ok || !isList {
		return nil
	}
	var others []tao.Account
	for _, x := range list {
		if a, ok := x.(tao.Account); ok {
			others = append(others, a)
		}
	}
	for _, s := range signers {
		all := append(slices.Clone(others), s)
		if MultisigAccount(all, threshold) == account {
			slices.SortFunc(all, func(a, b tao.Account) int { return slices.Compare(a[:], b[:]) })
			return &Multisig{Account: account, Threshold: threshold, Signatories: directory(nil).voters(all)}
		}
	}
	return nil
}

// lostOr is nil for a node that answered that it has no such block.
func lostOr(err error) error {
	var none *chain.NoBlockError
	var answer *chain.RPCError
	if errors.As(err, &none) || errors.As(err, &answer) {
		return nil
	}
	return err
}

// scheduled lists the agenda's calls, soonest first.
func scheduled(ctx context.Context, v *chain.View) ([]Scheduled, error) {
	list := []Scheduled{}
	if !has(v.Runtime(), agenda.Pallet, agenda.Name) {
		return list, nil
	}
	c, err := clockOf(ctx, v)
	if err != nil {
		return nil, err
	}
	for e, err := range agenda.All(ctx, v) {
		if err != nil {
			return nil, fmt.Errorf("read the scheduler's agenda: %w", err)
		}
		var block uint32
		if err := e.Scan(&block); err != nil {
			return nil, err
		}
		slots, _ := e.Value.([]any)
		for _, s := range slots {
			task, _ := s.(*scale.Record)
			if task == nil {
				continue // done or cancelled
			}
			one := Scheduled{Block: block, AtAbout: c.at(block), Origin: originOf(task)}
			if one.Action, err = taskAction(ctx, v, task); err != nil {
				return nil, err
			}
			list = append(list, one)
		}
	}
	slices.SortStableFunc(list, func(a, b Scheduled) int { return int(int64(a.Block) - int64(b.Block)) })
	return list, nil
}

// taskAction reads the call of a Scheduled (polkadot-sdk,
// substrate/frame/scheduler/src/lib.rs).
func taskAction(ctx context.Context, v *chain.View, task *scale.Record) (Action, error) {
	call, _ := task.Get("call")
	return boundedAction(ctx, v, call)
}

func originOf(task *scale.Record) string {
	origin, _ := field[*scale.Variant](task, "origin")
	if origin == nil {
		return ""
	}
	power, _ := origin.Value.(*scale.Variant)
	switch {
	case power == nil:
		return origin.Name
	case power.Value == nil:
		return origin.Name + "(" + power.Name + ")"
	}
	return fmt.Sprintf("%s(%s %v)", origin.Name, power.Name, power.Value)
}
