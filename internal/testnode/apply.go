package testnode

import (
	"maps"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Result is how a call ends that this node does not know itself. Err, if set,
// is a DispatchError as package scale encodes it, such as [ModuleError] gives.
type Result struct {
	Events []Event
	Err    any
}

// Event is an event to be written, its fields as package scale encodes them.
type Event struct {
	Pallet, Name string
	Fields       any // map[string]any, []any for unnamed ones, nil for none
}

type event struct {
	Event
	extrinsic int
}

// On says how calls of that pallet and name end from now on.
func (n *Node) On(pallet, call string, r Result) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.results[pallet+"."+call] = r
}

// OnAPI answers a runtime API, named as in state_call: "Core_version".
func (n *Node) OnAPI(name string, answer func(args []byte) ([]byte, error)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.apis[name] = answer
}

// ModuleError is a pallet's own error in this runtime's numbers.
func (n *Node) ModuleError(pallet, name string) any {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.moduleError(pallet, name)
}

func (n *Node) moduleError(pallet, name string) any {
	p := n.runtime.Metadata().Pallet(pallet)
	if p == nil || p.Error(name) == nil {
		fail("no error %s.%s", pallet, name)
	}
	return map[string]any{"Module": map[string]any{
		"index": p.Index, "error": []byte{p.Error(name).Index, 0, 0, 0},
	}}
}

// apply carries an extrinsic out: the fee is paid and the nonce counted
// whatever becomes of the call, whose changes are undone if it fails.
func (n *Node) apply(x *extrinsic, index int) {
	fee := x.fee()
	acc := n.account(x.signer)
	acc.set("nonce", acc.nonce()+1)
	acc.setFree(acc.free() - fee)
	n.store(x.signer, acc)
	n.emit(index, "Balances", "Withdraw", map[string]any{"who": x.signer, "amount": uint64(fee)})

	state, events := maps.Clone(n.state), len(n.pending)
	failed := n.dispatch(x.signer, x.call, index)
	if failed != nil {
		n.state, n.pending = state, n.pending[:events]
	}
	n.emit(index, "TransactionPayment", "TransactionFeePaid",
		map[string]any{"who": x.signer, "actual_fee": uint64(fee), "tip": uint64(x.tip)})
	info := map[string]any{
		"weight": map[string]any{"ref_time": uint64(1000), "proof_size": uint64(0)},
		"class":  "Normal", "pays_fee": "Yes",
	}
	if failed != nil {
		n.emit(index, "System", "ExtrinsicFailed", map[string]any{"dispatch_error": failed, "dispatch_info": info})
		return
	}
	n.emit(index, "System", "ExtrinsicSuccess", map[string]any{"dispatch_info": info})
}

func (n *Node) emit(index int, pallet, name string, fields any) {
	n.pending = append(n.pending, event{Event{pallet, name, fields}, index})
}

// dispatch carries a call out; what it returns is a DispatchError to encode,
// or nil.
func (n *Node) dispatch(who tao.Account, c chain.Call, index int) any {
	if r, ok := n.results[c.Pallet+"."+c.Name]; ok {
		for _, e := range r.Events {
			n.emit(index, e.Pallet, e.Name, e.Fields)
		}
		return r.Err
	}
	if rule, ok := n.rules[c.Pallet+"."+c.Name]; ok {
		return rule(&Chain{n, index}, who, c)
	}
	switch c.Pallet + "." + c.Name {
	case "Balances.transfer", "Balances.transfer_allow_death":
		return n.transfer(who, c, index, false)
	case "Balances.transfer_keep_alive":
		return n.transfer(who, c, index, true)
	case "Balances.transfer_all":
		return n.transferAll(who, c, index)
	case "System.remark":
		return nil
	case "System.remark_with_event":
		remark, _ := c.Args["remark"].([]byte)
		sum := blake2b.Sum256(remark)
		n.emit(index, "System", "Remarked", map[string]any{"sender": who, "hash": sum[:]})
		return nil
	case "Utility.batch", "Utility.batch_all", "Utility.force_batch":
		return n.batch(who, c, index)
	}
	return n.moduleError("System", "CallFiltered")
}

func (n *Node) transfer(who tao.Account, c chain.Call, index int, keepAlive bool) any {
	dest, ok := c.Args["dest"].(tao.Account)
	value, isNumber := c.Args["value"].(uint64)
	if !ok || !isNumber {
		return "CannotLookup"
	}
	return n.move(who, dest, tao.Amount(value), index, keepAlive)
}

func (n *Node) transferAll(who tao.Account, c chain.Call, index int) any {
	dest, ok := c.Args["dest"].(tao.Account)
	if !ok {
		return "CannotLookup"
	}
	keep, _ := c.Args["keep_alive"].(bool)
	all := n.account(who).free()
	if keep {
		all = all.Less(n.deposit())
	}
	return n.move(who, dest, all, index, keep)
}

// deposit is the existential deposit.
func (n *Node) deposit() tao.Amount {
	ed, err := chain.Const[tao.Amount]{Pallet: "Balances", Name: "ExistentialDeposit"}.Get(n.runtime.Runtime)
	if err != nil {
		fail("%v", err)
	}
	return ed
}

func (n *Node) move(who, dest tao.Account, value tao.Amount, index int, keepAlive bool) any {
	from := n.account(who)
	left, enough := from.free().Sub(value)
	switch {
	case !enough:
		return n.token("FundsUnavailable", "NoFunds")
	case keepAlive && left < n.deposit():
		return n.token("NotExpendable", "WouldDie")
	case !n.account(dest).exists() && value < n.deposit():
		return n.token("BelowMinimum", "BelowMinimum")
	case who == dest:
		n.emit(index, "Balances", "Transfer", map[string]any{"from": who, "to": dest, "amount": uint64(value)})
		return nil
	}
	from.setFree(left)
	n.store(who, from)
	if left < n.deposit() {
		n.remove(who)
		n.emit(index, "System", "KilledAccount", map[string]any{"account": who})
	}
	to := n.account(dest)
	if !to.exists() {
		to.set("providers", uint32(1))
		n.emit(index, "System", "NewAccount", map[string]any{"account": dest})
	}
	to.setFree(to.free() + value)
	n.store(dest, to)
	n.emit(index, "Balances", "Transfer", map[string]any{"from": who, "to": dest, "amount": uint64(value)})
	return nil
}

// token is a TokenError under the name that this runtime has for it.
func (n *Node) token(name, older string) any {
	if t := n.errorType("Token"); t != nil && t.Variant(name) == nil {
		name = older
	}
	return map[string]any{"Token": name}
}

// errorType is the type inside a variant of DispatchError.
func (n *Node) errorType(variant string) *scale.Type {
	m := n.runtime.Metadata()
	for _, f := range m.Pallet("System").Event("ExtrinsicFailed").Fields {
		if v := m.Type(f.Type).Variant(variant); v != nil {
			return m.Type(v.Fields[0].Type)
		}
	}
	return nil
}

// batch runs calls one after the other: batch stops at the first failure and
// keeps what was done, batch_all undoes everything, force_batch goes on.
func (n *Node) batch(who tao.Account, c chain.Call, index int) any {
	calls, _ := c.Args["calls"].([]any)
	anyFailed := false
	for i, inner := range calls {
		call, _ := inner.(chain.Call)
		state, events := maps.Clone(n.state), len(n.pending)
		err := n.dispatch(who, call, index)
		if err == nil {
			n.emit(index, "Utility", "ItemCompleted", nil)
			continue
		}
		n.state, n.pending = state, n.pending[:events]
		switch c.Name {
		case "batch_all":
			return err
		case "batch":
			n.emit(index, "Utility", "BatchInterrupted", map[string]any{"index": uint32(i), "error": err})
			return nil
		}
		anyFailed = true
		n.emit(index, "Utility", "ItemFailed", map[string]any{"error": err})
	}
	done := "BatchCompleted"
	if anyFailed {
		done = "BatchCompletedWithErrors"
	}
	n.emit(index, "Utility", done, nil)
	return nil
}

// storeEvents writes the pending events as System.Events.
func (n *Node) storeEvents() {
	m := n.runtime.Metadata()
	records := make([]any, len(n.pending))
	for i, e := range n.pending {
		var variant any = &scale.Variant{Name: e.Name, Value: e.Fields}
		var phase any = map[string]any{"ApplyExtrinsic": uint32(e.extrinsic)}
		if e.extrinsic == outside {
			phase = "Initialization"
		}
		records[i] = map[string]any{
			"phase":  phase,
			"event":  &scale.Variant{Name: e.Pallet, Value: variant},
			"topics": []any{},
		}
	}
	b, err := m.Encode(nil, m.EventRecords(), records)
	if err != nil {
		fail("encode events: %v", err)
	}
	key, err := m.StorageKey(n.entry("System", "Events"))
	if err != nil {
		fail("key of System.Events: %v", err)
	}
	n.state[string(key)] = string(b)
}
