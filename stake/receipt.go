package stake

import (
	"strings"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// Change is what the chain reported of stake: StakeAdded, StakeRemoved and what
// else moves it.
type Change struct {
	Event  string      `json:"event"` // StakeAdded, StakeRemoved, StakeMoved, StakeSwapped, StakeTransferred
	Hotkey tao.Account `json:"hotkey"`
	NetUID tao.NetUID  `json:"netuid"`
	TAO    tao.Amount  `json:"tao" view:"TAO"`                                   // went in, came out, or what a move was worth
	Alpha  *tao.Alpha  `json:"alpha,omitempty"`                                  // came out, or went in
	FeeTAO *tao.Amount `json:"swap_fee_tao,omitempty" view:"swap fee (TAO)"`     // of what went in
	Fee    *tao.Alpha  `json:"swap_fee_alpha,omitempty" view:"swap fee (alpha)"` // of what went in
}

// Changes finds them among a receipt's events.
func Changes(events []tx.Event) []Change {
	var list []Change
	for _, e := range events {
		name, ours := strings.CutPrefix(e.Name, module+".")
		record, isRecord := e.Fields.V.(*scale.Record)
		if !ours || !isRecord {
			continue
		}
		fields := make([]any, len(record.Fields))
		for i, f := range record.Fields {
			fields[i] = f.Value
		}
		if c, ok := changeOf(name, fields); ok {
			list = append(list, c)
		}
	}
	return list
}

// Proceeds is the TAO that came free by changes of stake, what went in at the
// same time taken off.
func Proceeds(changes []Change) tao.Amount {
	var out, in tao.Amount
	for _, c := range changes {
		switch c.Event {
		case "StakeRemoved":
			out = more(out, c.TAO)
		case "StakeAdded":
			in = more(in, c.TAO)
		}
	}
	return out.Less(in)
}

// changeOf reads an event by the shapes of its generations: StakeAdded and
// StakeRemoved are (coldkey, hotkey, tao, alpha, netuid, fee), without the fee
// before 283, and (hotkey, tao) before dynamic TAO.
func changeOf(name string, f []any) (c Change, ok bool) {
	c.Event = name
	switch name {
	case "StakeAdded", "StakeRemoved":
		if len(f) == 2 {
			return c, pick(f, 0, &c.Hotkey) && pick(f, 1, (*uint64)(&c.TAO))
		}
		var alpha tao.Alpha
		ok = pick(f, 1, &c.Hotkey) && pick(f, 2, (*uint64)(&c.TAO)) && pick(f, 3, (*uint64)(&alpha)) && pick(f, 4, (*uint16)(&c.NetUID))
		c.Alpha = &alpha
		var fee uint64
		switch {
		case !pick(f, 5, &fee):
		case name == "StakeAdded":
			c.FeeTAO = some(tao.Amount(fee))
		default:
			c.Fee = some(tao.Alpha(fee))
		}
	case "StakeMoved":
		ok = pick(f, 3, &c.Hotkey) && pick(f, 4, (*uint16)(&c.NetUID))
		pick(f, 5, (*uint64)(&c.TAO)) // not at raonet
	case "StakeSwapped":
		ok = pick(f, 1, &c.Hotkey) && pick(f, 3, (*uint16)(&c.NetUID)) && pick(f, 4, (*uint64)(&c.TAO))
	case "StakeTransferred":
		ok = pick(f, 2, &c.Hotkey) && pick(f, 4, (*uint16)(&c.NetUID)) && pick(f, 5, (*uint64)(&c.TAO))
	}
	return c, ok
}

// pick takes a field of the right type.
func pick[T any](fields []any, i int, into *T) bool {
	if i >= len(fields) {
		return false
	}
	v, ok := fields[i].(T)
	if ok {
		*into = v
	}
	return ok
}
