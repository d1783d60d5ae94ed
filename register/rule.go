package register

import (
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/tao"
)

// Rule is how a runtime takes proof of work: what metadata cannot express.
type Rule struct {
	Seal   powsolver.Kind  `json:"seal"`
	Order  powsolver.Order `json:"byte_order" view:"byte order"`
	Signer string          `json:"signer"` // ByHotkey or ByColdkey

	// Window is how many blocks after its own the work is still taken: the
	// block that executes the call may be that many ahead.
	Window uint32 `json:"window_blocks" view:"valid for blocks"`
}

// Who signs a registration by work.
const (
	ByHotkey  = "hotkey"
	ByColdkey = "coldkey"
)

// Specs at which the rule changed, by the runtime's source.
const (
	firstSigned = 121 // the hotkey must sign (5ed0d505c); before, registration was shut, or open to anybody
	lastBig     = 277 // v3.1.5, pallets/subtensor/src/subnets/registration.rs line 484
	firstLittle = 283 // v3.1.6, line 488; no release lies between
	firstBurn   = 401 // v3.3.14: register ignores the work and burns (115c42049)
)

// RuleOf tells how this runtime takes work for a subnet. The error is a
// *NoWorkError where it takes none, or where nobody can say how.
//
// Names in metadata decide as far as they can: pow_register is the seal of
// 475, and a runtime in which the price falls by itself (BurnHalfLife) has a
// register that ignores the work, whatever number it gives itself. The byte
// order is in no metadata, so there the spec version must do.
func RuleOf(rt *chain.Runtime) (Rule, error) {
	spec := rt.Spec().SpecVersion
	refuse := func(reason string, burns bool) (Rule, error) {
		return Rule{}, &NoWorkError{Spec: spec, Reason: reason, Burns: burns}
	}
	switch {
	case hasCall(rt, callWorkV475):
		// POW_MAX_WORK_AGE_BLOCKS = 5, runtime 475.
		return Rule{Seal: powsolver.V475, Order: powsolver.LittleEndian, Signer: ByColdkey, Window: 5}, nil
	case burnsInstead(rt):
		return refuse("its register call ignores the work and burns TAO instead", true)
	case !hasCall(rt, callWork):
		return refuse("it has no call that takes work", false)
	case spec < firstSigned:
		return refuse("up to spec 110 registration is shut in its code, and from 111 to 120 anybody could have taken the work", false)
	}
	order, err := orderOf(spec)
	// current - block < 3, line 269 of registration.rs in v3.3.13-393.
	return Rule{Seal: powsolver.Legacy, Order: order, Signer: ByHotkey, Window: 2}, err
}

// burnsInstead tells a runtime from 401 on, whose register is a paid one.
func burnsInstead(rt *chain.Runtime) bool {
	return rt.Spec().SpecVersion >= firstBurn || hasCall(rt, callBurnLimit) || has(rt, entryHalfLife)
}

func orderOf(spec uint32) (powsolver.Order, error) {
	switch {
	case spec <= lastBig:
		return powsolver.BigEndian, nil
	case spec >= firstLittle:
		return powsolver.LittleEndian, nil
	}
	return 0, &NoWorkError{Spec: spec, Reason: "no release has this number, and the byte order of the test changed somewhere from 278 to 283"}
}

// signer is who signs a registration by this rule.
func (r Rule) signer(w Work) tao.Account {
	if r.Signer == ByColdkey {
		return w.Coldkey
	}
	return w.Hotkey
}
