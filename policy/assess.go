package policy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Part is what one call, of those inside an extrinsic, takes and where to.
type Part struct {
	Call    string       `json:"call"`
	TAO     tao.Amount   `json:"tao" view:"TAO"`        // that leaves the signer's balance at most; a fee is not counted
	All     bool         `json:"all,omitempty"`         // everything that the account holds
	Unknown bool         `json:"unknown,omitempty"`     // nobody can tell what it takes
	NetUID  *tao.NetUID  `json:"netuid,omitempty"`      // that stake or a registration goes to
	Hotkey  *tao.Account `json:"hotkey,omitempty"`      // that stake goes to
	Dest    *tao.Account `json:"destination,omitempty"` // that TAO or stake goes to
}

// Assess lists what an extrinsic's call does, the calls inside others in their
// place. A call that this package does not know is Unknown, and so is one whose
// price is not in the call.
func Assess(c chain.Call) []Part {
	if c.Pallet == utility || c.Pallet == proxy || c.Pallet == multisig || c.Pallet == sudo {
		if inner := direct(c); len(inner) > 0 {
			var parts []Part
			for _, i := range inner {
				parts = append(parts, Assess(i)...)
			}
			return parts
		}
	}
	p := Part{Call: c.Pallet + "." + c.Name, Unknown: true}
	read, known := costs[p.Call]
	if known {
		a := arguments{args: c.Args}
		done := p
		done.Unknown = false
		read(&a, &done)
		if a.err == nil {
			return []Part{done}
		}
	}
	return []Part{p}
}

// direct are the calls right inside a call.
func direct(c chain.Call) []chain.Call {
	var found []chain.Call
	for _, name := range []string{"call", "calls"} {
		switch v := c.Args[name].(type) {
		case chain.Call:
			found = append(found, v)
		case []chain.Call:
			found = append(found, v...)
		case []any:
			for _, item := range v {
				if inner, ok := item.(chain.Call); ok {
					found = append(found, inner)
				}
			}
		}
	}
	return found
}

// arguments reads a decoded call's, and keeps the first error.
type arguments struct {
	args chain.Args
	err  error
}

func argument[T any](a *arguments, name string) (v T) {
	v, ok := a.args[name].(T)
	if !ok && a.err == nil {
		a.err = fmt.Errorf("argument %s is %T", name, a.args[name])
	}
	return v
}

func (a *arguments) tao(name string) tao.Amount { return tao.Amount(argument[uint64](a, name)) }

func (a *arguments) account(name string) *tao.Account {
	v := argument[tao.Account](a, name)
	return &v
}

func (a *arguments) netuid(name string) *tao.NetUID {
	v := tao.NetUID(argument[uint16](a, name))
	return &v
}

func cut(s string) (pallet, name string, ok bool) { return strings.Cut(s, ".") }

func netuid(s string) (tao.NetUID, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err != nil {
		return 0, fmt.Errorf("%q is not the number of a subnet", s)
	}
	return tao.NetUID(n), nil
}
