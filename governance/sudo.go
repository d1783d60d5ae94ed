package governance

import (
	"context"
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Sudo is what there is beside votes: the key that may do anything, what waits
// for its signatories, and what is scheduled.
type Sudo struct {
	Key *tao.Account `json:"key,omitempty"`

	// Multisig tells whether an operation of a multisig waits for the key or
	// for one of its proxies. A multisig with nothing pending looks like any
	// other account: false does not say that it is none.
	Multisig  bool        `json:"multisig_seen"`
	Proxies   []Proxy     `json:"proxies"`
	Pending   []Operation `json:"pending"`
	Scheduled []Scheduled `json:"scheduled"`
	Upgrade   *tx.Value   `json:"authorized_upgrade,omitempty"`
	Upgrades  string      `json:"upgrades"` // how a runtime is replaced
}

// Proxy may sign for the sudo key.
type Proxy struct {
	Delegate tao.Account `json:"delegate"`
	Type     string      `json:"type"`
	Delay    uint32      `json:"delay"` // blocks
}

// Operation is a multisig's that waits for signatures.
type Operation struct {
	Account   tao.Account   `json:"account"`
	Hash      tao.Hash      `json:"call_hash"`
	Block     uint32        `json:"block"` // where it was first approved
	Index     uint32        `json:"index"` // of the extrinsic in that block
	Depositor tao.Account   `json:"depositor"`
	Approvals []tao.Account `json:"approvals"`
	Threshold uint16        `json:"threshold,omitempty"`   // where the first approval could be read
	Others    []tao.Account `json:"signatories,omitempty"` // all of them, likewise
	Action
}

// Scheduled is a call that will run by itself.
type Scheduled struct {
	Block uint32 `json:"block"`
	Action
}

const upgrades = "the sudo key signs Sudo.sudo_unchecked_weight(System.set_code(…)), or a proxy of it does for it; the code holds from the next block"

// SudoOf reads what is known of the sudo key at the view's block. What a runtime
// does not have is left empty.
func SudoOf(ctx context.Context, v *chain.View) (s Sudo, err error) {
	s = Sudo{Proxies: []Proxy{}, Pending: []Operation{}, Scheduled: []Scheduled{}, Upgrades: upgrades}
	if has(v.Runtime(), sudoPallet, "Key") {
		key, set, err := sudoKey.Get(ctx, v)
		if err != nil {
			return s, err
		}
		if set {
			s.Key = &key
		}
	}
	if s.Key != nil {
		if err := s.readSignatories(ctx, v); err != nil {
			return s, err
		}
	}
	if s.Scheduled, err = scheduled(ctx, v); err != nil {
		return s, err
	}
	if has(v.Runtime(), "System", authorized.Name) {
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

func (s *Sudo) readSignatories(ctx context.Context, v *chain.View) (err error) {
	if has(v.Runtime(), "Proxy", proxies.Name) {
		list, _, err := proxies.Get(ctx, v, *s.Key)
		if err != nil {
			return err
		}
		s.Proxies = proxiesOf(list)
	}
	if !has(v.Runtime(), multisigPallet, multisigs.Name) {
		return nil
	}
	accounts := []tao.Account{*s.Key}
	for _, p := range s.Proxies {
		accounts = append(accounts, p.Delegate)
	}
	for _, a := range accounts {
		list, err := pending(ctx, v, a)
		if err != nil {
			return err
		}
		s.Pending = append(s.Pending, list...)
	}
	s.Multisig = len(s.Pending) > 0
	return nil
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
		p.Delegate, _ = field[tao.Account](r, "delegate")
		p.Delay, _ = field[uint32](r, "delay")
		p.Type = nameOf(r, "proxy_type")
		list = append(list, p)
	}
	return list
}

func nameOf(r *scale.Record, name string) string {
	v, _ := field[*scale.Variant](r, name)
	if v == nil {
		return ""
	}
	return v.Name
}

// pending lists a multisig's open operations.
func pending(ctx context.Context, v *chain.View, account tao.Account) (list []Operation, _ error) {
	for e, err := range multisigs.All(ctx, v, account) {
		if err != nil {
			return nil, err
		}
		o := Operation{Account: account, Block: e.Value.When.Height, Index: e.Value.When.Index, Depositor: e.Value.Depositor, Approvals: e.Value.Approvals}
		var who tao.Account
		if err := e.Scan(&who, &o.Hash); err != nil {
			return nil, err
		}
		if err := o.recover(ctx, v); err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	return list, nil
}

// recover looks for the call where the operation began: as_multi carries it,
// approve_as_multi carries its hash alone. A node that no longer has the block
// leaves it unknown.
func (o *Operation) recover(ctx context.Context, v *chain.View) error {
	o.Action = unreadable("the chain holds only the hash of this call")
	hash, err := v.Client().Hash(ctx, chain.AtNumber(o.Block))
	if err != nil {
		return lostOr(err)
	}
	extrinsics, err := v.Client().Extrinsics(ctx, hash)
	if err != nil || int(o.Index) >= len(extrinsics) {
		return lostOr(err)
	}
	x, err := tx.DecodeExtrinsic(v.Runtime(), extrinsics[o.Index], v.Number())
	if err != nil {
		return nil //nolint:nilerr // written for an earlier runtime: it stays unknown
	}
	for _, c := range append([]chain.Call{x.Call}, x.Call.Inner()...) {
		inner, ok := c.Args["call"].(chain.Call)
		if c.Pallet != multisigPallet || !ok {
			continue
		}
		if _, sum, err := hashOf(v.Runtime(), inner); err != nil || sum != o.Hash {
			continue
		}
		o.readThreshold(c, x.Signer)
		o.Action, err = describe(ctx, v, inner, &o.Hash)
		return err
	}
	return nil
}

// readThreshold takes threshold and signatories from the first approval.
func (o *Operation) readThreshold(c chain.Call, signer tao.Account) {
	o.Threshold, _ = c.Args["threshold"].(uint16)
	others, _ := c.Args["other_signatories"].([]any)
	o.Others = []tao.Account{signer}
	for _, x := range others {
		if a, ok := x.(tao.Account); ok {
			o.Others = append(o.Others, a)
		}
	}
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

// scheduled lists the agenda's calls.
func scheduled(ctx context.Context, v *chain.View) ([]Scheduled, error) {
	list := []Scheduled{}
	if !has(v.Runtime(), agenda.Pallet, agenda.Name) {
		return list, nil
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
			r, _ := s.(*scale.Record)
			if r == nil {
				continue // done or cancelled
			}
			a, err := scheduledAction(ctx, v, r)
			if err != nil {
				return nil, err
			}
			list = append(list, Scheduled{Block: block, Action: a})
		}
	}
	return list, nil
}

func scheduledAction(ctx context.Context, v *chain.View, r *scale.Record) (Action, error) {
	bounded, _ := r.Get("call")
	if encoded := inline(bounded); encoded != nil {
		return decodeAction(ctx, v, encoded)
	}
	return unreadable("the call is kept as a preimage, which is not read here"), nil
}
