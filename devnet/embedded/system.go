package embedded

import (
	"slices"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// pallets are the runtime's, with the numbers that Bittensor gives them.
func pallets() []pallet {
	return []pallet{system, timestampPallet, balances, transactionPayment, subtensor, utility, sudo, multisigPallet, preimage, scheduler, proxyPallet, adminUtils, swapPallet, collectives, signedVoting, referenda, own}
}

var system = pallet{
	name: "System", index: 0,
	storage: `
		Account: Blake2_128Concat(AccountId) -> AccountInfo = 0x0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000080
		ExtrinsicCount: ?u32
		BlockHash: Twox64Concat(u32) -> H256
		ExtrinsicData: Twox64Concat(u32) -> Vec<u8>
		Number: u32
		ParentHash: H256
		Digest: Digest
		Events: Vec<EventRecord>
		EventCount: u32
		ExecutionPhase: ?Phase
		LastRuntimeUpgrade: ?LastUpgrade`,
	constants: `
		BlockHashCount: u32 = 2400
		SS58Prefix: u16 = 42
		Version: RuntimeVersion = 0x386e6f64652d73756274656e736f723c74616f63746c2d656d62656464656401000000db010000010000000001000000` + `01`,
	calls: []call{
		{"0 remark{remark: Vec<u8>}", remark},
		{"4 set_storage{items: Vec<(Vec<u8>, Vec<u8>)>}", setStorage},
		{"7 remark_with_event{remark: Vec<u8>}", remarkWithEvent},
	},
	events: `
		0 ExtrinsicSuccess{dispatch_info: DispatchInfo}
		1 ExtrinsicFailed{dispatch_error: DispatchError, dispatch_info: DispatchInfo}
		3 NewAccount{account: AccountId}
		4 KilledAccount{account: AccountId}
		5 Remarked{sender: AccountId, hash: H256}`,
	errors: `
		5 CallFiltered -- this call is not allowed here`,
}

func remark(_ *exec, from origin, _ args) error {
	if from.account == nil && !from.root {
		return errBadOrigin
	}
	return nil
}

func remarkWithEvent(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	x.emit("System", "Remarked", map[string]any{"sender": who, "hash": blake2b.Sum256(arg[[]byte](a, "remark"))})
	return nil
}

func setStorage(x *exec, from origin, a args) error {
	if !from.root {
		return errBadOrigin
	}
	for _, pair := range arg[[]any](a, "items") {
		kv := pair.([]any)
		x.write(string(kv[0].([]byte)), kv[1].([]byte))
	}
	return nil
}

var timestampPallet = pallet{
	name: "Timestamp", index: 2,
	storage:   `Now: u64`,
	constants: `MinimumPeriod: u64 = 6000`,
	calls:     []call{{"0 set{now: Compact<u64>}", setTime}},
}

// own is what this engine keeps for itself.
var own = pallet{
	name: "Embedded", index: 255,
	storage: `
		BlockWeight: u64
		Alarms: Twox64Concat(u32) -> ?u32`,
}

var utility = pallet{
	name: "Utility", index: 11,
	constants: `batched_calls_limit: u32 = 10922`,
	calls: []call{
		{"0 batch{calls: Vec<Call>}", batch},
		{"2 batch_all{calls: Vec<Call>}", batchAll},
		{"4 force_batch{calls: Vec<Call>}", forceBatch},
	},
	events: `
		0 BatchInterrupted{index: u32, error: DispatchError}
		1 BatchCompleted
		2 BatchCompletedWithErrors
		3 ItemCompleted
		4 ItemFailed{error: DispatchError}`,
	errors: `
		0 TooManyCalls`,
}

const maxBatch = 10922

func batched(from origin, a args) ([]any, error) {
	calls := arg[[]any](a, "calls")
	if from.account == nil && !from.root {
		return nil, errBadOrigin
	}
	if len(calls) > maxBatch {
		return nil, moduleError{"Utility", "TooManyCalls"}
	}
	return calls, nil
}

// batch does calls until one fails, which is no failure of its own.
func batch(x *exec, from origin, a args) error {
	calls, err := batched(from, a)
	if err != nil {
		return err
	}
	for i, c := range calls {
		if err := x.dispatch(from, c.(*scale.Variant)); err != nil {
			x.emit("Utility", "BatchInterrupted", map[string]any{"index": uint32(i), "error": x.dispatchValue(err)})
			return nil
		}
		x.emit("Utility", "ItemCompleted", nil)
	}
	x.emit("Utility", "BatchCompleted", nil)
	return nil
}

// nests reports a batch within a batch, which the runtime refuses (Bittensor, runtime/
// src/lib.rs, NoNestingCallFilter).
func nests(call *scale.Variant) bool {
	if !isBatch(call) {
		return false
	}
	_, a := parts(call)
	return slices.ContainsFunc(a.within(), isBatch)
}

func isBatch(call *scale.Variant) bool {
	name, _ := parts(call)
	return name == "Utility.batch" || name == "Utility.batch_all" || name == "Utility.force_batch"
}

// batchAll does all calls or none.
func batchAll(x *exec, from origin, a args) error {
	calls, err := batched(from, a)
	if err != nil {
		return err
	}
	for _, c := range calls {
		if err := x.dispatch(from, c.(*scale.Variant)); err != nil {
			return err
		}
		x.emit("Utility", "ItemCompleted", nil)
	}
	x.emit("Utility", "BatchCompleted", nil)
	return nil
}

func forceBatch(x *exec, from origin, a args) error {
	calls, err := batched(from, a)
	if err != nil {
		return err
	}
	end := "BatchCompleted"
	for _, c := range calls {
		if err := x.dispatch(from, c.(*scale.Variant)); err != nil {
			end = "BatchCompletedWithErrors"
			x.emit("Utility", "ItemFailed", map[string]any{"error": x.dispatchValue(err)})
			continue
		}
		x.emit("Utility", "ItemCompleted", nil)
	}
	x.emit("Utility", end, nil)
	return nil
}

var sudo = pallet{
	name: "Sudo", index: 12,
	storage: `Key: ?AccountId`,
	calls: []call{
		{"0 sudo{call: Call}", doSudo},
		{"2 set_key{new: Address}", setSudoKey},
	},
	events: `
		0 Sudid{sudo_result: Result<(), DispatchError>}
		1 KeyChanged{old: Option<AccountId>, new: AccountId}`,
	errors: `
		0 RequireSudo`,
}

var sudoKey = item[tao.Account]{"Sudo", "Key"}

// asSudo takes root, and who holds the key.
func asSudo(x *exec, from origin) error {
	if from.root {
		return nil
	}
	who, err := from.signed()
	if err != nil {
		return err
	}
	if !sudoKey.has(x) || who != sudoKey.get(x) {
		return moduleError{"Sudo", "RequireSudo"}
	}
	return nil
}

// doSudo makes a call as root. That the call failed is in the event alone.
func doSudo(x *exec, from origin, a args) error {
	if err := asSudo(x, from); err != nil {
		return err
	}
	err := x.dispatch(origin{root: true}, arg[*scale.Variant](a, "call"))
	x.emit("Sudo", "Sudid", map[string]any{"sudo_result": x.result(err)})
	return nil
}

func setSudoKey(x *exec, from origin, a args) error {
	if err := asSudo(x, from); err != nil {
		return err
	}
	to, err := a.address("new")
	if err != nil {
		return err
	}
	old := sudoKey.get(x)
	sudoKey.set(x, to)
	x.emit("Sudo", "KeyChanged", map[string]any{"old": old, "new": to})
	return nil
}
