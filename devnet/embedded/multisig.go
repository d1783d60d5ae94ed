package embedded

import (
	"bytes"
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

var multisigPallet = pallet{
	name: "Multisig", index: 13,
	storage: `Multisigs: Twox64Concat(AccountId) Blake2_128Concat([u8; 32]) -> ?Multisig`,
	constants: `
		DepositBase: u64 = 132000000
		DepositFactor: u64 = 32000000
		MaxSignatories: u32 = 100`,
	calls: []call{
		{"0 as_multi_threshold_1{other_signatories: Vec<AccountId>, call: Call}", asMultiOfOne},
		{"1 as_multi{threshold: u16, other_signatories: Vec<AccountId>, maybe_timepoint: Option<Timepoint>, call: Call, max_weight: Weight}", asMulti},
		{"2 approve_as_multi{threshold: u16, other_signatories: Vec<AccountId>, maybe_timepoint: Option<Timepoint>, call_hash: [u8; 32], max_weight: Weight}", approveAsMulti},
		{"3 cancel_as_multi{threshold: u16, other_signatories: Vec<AccountId>, timepoint: Timepoint, call_hash: [u8; 32]}", cancelAsMulti},
	},
	events: `
		0 NewMultisig{approving: AccountId, multisig: AccountId, call_hash: [u8; 32]}
		1 MultisigApproval{approving: AccountId, timepoint: Timepoint, multisig: AccountId, call_hash: [u8; 32]}
		2 MultisigExecuted{approving: AccountId, timepoint: Timepoint, multisig: AccountId, call_hash: [u8; 32], result: Result<(), DispatchError>}
		3 MultisigCancelled{cancelling: AccountId, timepoint: Timepoint, multisig: AccountId, call_hash: [u8; 32]}`,
	errors: `
		0 MinimumThreshold -- a threshold is two or more
		1 AlreadyApproved -- the signer has approved it already
		3 TooFewSignatories -- there are too few signatories
		4 TooManySignatories -- there are too many signatories
		5 SignatoriesOutOfOrder -- the signatories must be sorted by their keys
		6 SenderInSignatories -- the signer is not one of the others
		7 NotFound -- there is no such operation
		8 NotOwner -- who began it alone can cancel it
		9 NoTimepoint -- it was begun already: its timepoint is missing
		10 WrongTimepoint -- it was begun at another time
		11 UnexpectedTimepoint -- it was not begun yet: there is no timepoint
		12 MaxWeightTooLow -- the call weighs more than was allowed`,
}

const (
	multisigBase    = 132_000_000 // rao, of the deposit
	multisigFactor  = 32_000_000  // rao, for each signature that is needed
	mostSignatories = 100
)

// timepoint is where an operation began: the block, and the extrinsic in it.
type timepoint struct{ Height, Index uint32 }

// operation is a call that waits for signatures.
type operation struct {
	When      timepoint
	Deposit   uint64
	Depositor tao.Account
	Approvals []tao.Account
}

var operations = item[operation]{"Multisig", "Multisigs"} // account, hash of the call

func multisigError(name string) error { return moduleError{"Multisig", name} }

// multisig is a call to a multisig, read.
type multisig struct {
	who, account tao.Account
	threshold    uint16
	hash         [32]byte
	when         *timepoint
	call         *scale.Variant // nil: only the hash was given
	weight       uint64         // that the call may have
}

// others checks the signatories beside the signer, and gives the account of all.
func (x *exec) others(who tao.Account, threshold uint16, a args) (tao.Account, error) {
	list := arg[[]any](a, "other_signatories")
	switch {
	case len(list) == 0:
		return who, multisigError("TooFewSignatories")
	case len(list) >= mostSignatories:
		return who, multisigError("TooManySignatories")
	}
	all := make([][]byte, 0, len(list)+1)
	for i, v := range list {
		b := v.([]byte)
		if i > 0 && bytes.Compare(all[i-1], b) >= 0 {
			return who, multisigError("SignatoriesOutOfOrder")
		}
		if tao.Account(b) == who {
			return who, multisigError("SenderInSignatories")
		}
		all = append(all, b)
	}
	all = append(all, who[:])
	slices.SortFunc(all, bytes.Compare)
	b := scale.EncodeCompact([]byte("modlpy/utilisuba"), uint64(len(all)))
	for _, s := range all {
		b = append(b, s...)
	}
	return blake2b.Sum256(binary.LittleEndian.AppendUint16(b, threshold)), nil
}

func (x *exec) multisig(from origin, a args) (m multisig, err error) {
	if m.who, err = from.signed(); err != nil {
		return m, err
	}
	if m.threshold = arg[uint16](a, "threshold"); m.threshold < 2 {
		return m, multisigError("MinimumThreshold")
	}
	if m.account, err = x.others(m.who, m.threshold, a); err != nil {
		return m, err
	}
	if v, ok := a.record.Get("maybe_timepoint"); ok && v != nil {
		m.when = pointOf(v)
	}
	if v, ok := a.record.Get("max_weight"); ok {
		ref, _ := v.(*scale.Record).Get("ref_time")
		m.weight = ref.(uint64)
	}
	if v, ok := a.record.Get("call"); ok {
		m.call = v.(*scale.Variant)
		m.hash = blake2b.Sum256(must(x.d.metadata.Encode(nil, x.d.metadata.Extrinsic().Call, m.call)))
	} else {
		m.hash = [32]byte(arg[[]byte](a, "call_hash"))
	}
	return m, nil
}

func pointOf(v any) *timepoint {
	r := v.(*scale.Record)
	height, _ := r.Get("height")
	index, _ := r.Get("index")
	return &timepoint{height.(uint32), index.(uint32)}
}

func asMultiOfOne(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	group, err := x.others(who, 1, a)
	if err != nil {
		return err
	}
	return x.dispatch(origin{account: &group}, arg[*scale.Variant](a, "call"))
}

func asMulti(x *exec, from origin, a args) error {
	m, err := x.multisig(from, a)
	if err != nil {
		return err
	}
	return x.approve(m)
}

func approveAsMulti(x *exec, from origin, a args) error { return asMulti(x, from, a) }

// approve adds a signature to an operation, begins it, or with the last one makes
// its call.
func (x *exec) approve(m multisig) error {
	if !operations.has(x, m.account, m.hash) {
		if m.when != nil {
			return multisigError("UnexpectedTimepoint")
		}
		return x.propose(m)
	}
	op := operations.get(x, m.account, m.hash)
	switch {
	case m.when == nil:
		return multisigError("NoTimepoint")
	case *m.when != op.When:
		return multisigError("WrongTimepoint")
	}
	signed := slices.Contains(op.Approvals, m.who)
	if m.call != nil && (len(op.Approvals) >= int(m.threshold) || len(op.Approvals)+1 >= int(m.threshold) && !signed) {
		return x.execute(m, op)
	}
	if signed {
		return multisigError("AlreadyApproved")
	}
	op.Approvals = append(op.Approvals, m.who)
	operations.set(x, op, m.account, m.hash)
	x.emit("Multisig", "MultisigApproval", map[string]any{"approving": m.who, "timepoint": op.When, "multisig": m.account, "call_hash": m.hash})
	return nil
}

func (x *exec) propose(m multisig) error {
	deposit := multisigBase + multisigFactor*uint64(m.threshold)
	if err := x.deposits(m.who, 0, deposit); err != nil {
		return err
	}
	when := timepoint{number.get(x), extrinsicCount.get(x)}
	operations.set(x, operation{when, deposit, m.who, []tao.Account{m.who}}, m.account, m.hash)
	x.emit("Multisig", "NewMultisig", map[string]any{"approving": m.who, "multisig": m.account, "call_hash": m.hash})
	return nil
}

// execute makes the call. That it failed is in the event alone.
func (x *exec) execute(m multisig, op operation) error {
	if weightOf(m.call) > m.weight {
		return multisigError("MaxWeightTooLow")
	}
	operations.remove(x, m.account, m.hash)
	if err := x.deposits(op.Depositor, op.Deposit, 0); err != nil {
		return err
	}
	err := x.dispatch(origin{account: &m.account}, m.call)
	x.emit("Multisig", "MultisigExecuted", map[string]any{
		"approving": m.who, "timepoint": op.When, "multisig": m.account, "call_hash": m.hash, "result": x.result(err),
	})
	return nil
}

func cancelAsMulti(x *exec, from origin, a args) error {
	m, err := x.multisig(from, a)
	if err != nil {
		return err
	}
	when, _ := a.record.Get("timepoint")
	op := operations.get(x, m.account, m.hash)
	switch {
	case !operations.has(x, m.account, m.hash):
		return multisigError("NotFound")
	case op.Depositor != m.who:
		return multisigError("NotOwner")
	case op.When != *pointOf(when):
		return multisigError("WrongTimepoint")
	}
	operations.remove(x, m.account, m.hash)
	x.emit("Multisig", "MultisigCancelled", map[string]any{"cancelling": m.who, "timepoint": op.When, "multisig": m.account, "call_hash": m.hash})
	return x.deposits(m.who, op.Deposit, 0)
}
