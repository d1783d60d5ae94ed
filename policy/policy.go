// Package policy limits what is signed on one machine: how much TAO leaves in a
// transaction, in a day, into a subnet, by which calls, to whom.
//
// A [Policy] is read from a file, [Assess] tells what a call takes, and a
// [Ledger] remembers what was signed. The package knows no network and asks
// nobody. It guards against mistakes of people and scripts that use taoctl, not
// against somebody who has the keys: other tools sign without asking it.
package policy

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/internal/strictyaml"
	"github.com/taoctl/taoctl/tao"
)

// Policy is what may be signed. What is nil is not limited.
type Policy struct {
	PerTransaction *tao.Amount `json:"per_transaction,omitempty" view:"a transaction at most (TAO)"`
	PerDay         *tao.Amount `json:"per_day,omitempty" view:"in 24 hours at most (TAO)"`
	Fee            *tao.Amount `json:"fee,omitempty" view:"fee at most (TAO)"`

	Calls        []CallRule    `json:"calls,omitempty"`        // if there are any, no others
	Destinations []tao.Account `json:"destinations,omitempty"` // of transfers, of TAO and of stake
	Hotkeys      []tao.Account `json:"hotkeys,omitempty"`      // that stake may go to
	Subnets      []SubnetRule  `json:"subnets,omitempty"`      // if there are any, no others

	digest [sha256.Size]byte
}

// Limits are of one call or one subnet.
type Limits struct {
	PerTransaction *tao.Amount `json:"per_transaction,omitempty" view:"a transaction at most (TAO)"`
	PerDay         *tao.Amount `json:"per_day,omitempty" view:"in 24 hours at most (TAO)"`
}

// CallRule allows one call. That also allows it where nobody can tell what it
// costs.
type CallRule struct {
	Call string `json:"call"` // "Balances.transfer_keep_alive"
	Limits
}

// SubnetRule allows stake and registrations in one subnet.
type SubnetRule struct {
	NetUID tao.NetUID `json:"netuid"`
	Limits
}

// Digest identifies the file's bytes.
func (p *Policy) Digest() tao.Hash { return p.digest }

// FileError says what is wrong with a policy file, and where.
type FileError struct {
	Line   int // 0: the file as a whole
	Reason string
}

func (e *FileError) Error() string {
	if e.Line == 0 {
		return "policy: " + e.Reason
	}
	return fmt.Sprintf("policy: line %d: %s", e.Line, e.Reason)
}

// Parse reads a policy. Unknown and repeated fields are refused: a limit that is
// misspelt would not hold. Errors: *FileError.
func Parse(text []byte) (*Policy, error) {
	p := &Policy{digest: sha256.Sum256(text)}
	err := p.read(text)
	var wrong *strictyaml.Error
	if errors.As(err, &wrong) {
		return nil, &FileError{Line: wrong.Line, Reason: wrong.Reason}
	}
	return p, err
}

func (p *Policy) read(text []byte) error {
	root, err := strictyaml.Parse(text)
	if err != nil {
		return err
	}
	version := ""
	err = strictyaml.Fields(root, map[string]func(*strictyaml.Node) error{
		"version":         func(n *strictyaml.Node) error { return strictyaml.Text(n, &version) },
		"per_transaction": func(n *strictyaml.Node) error { return amount(n, &p.PerTransaction) },
		"per_day":         func(n *strictyaml.Node) error { return amount(n, &p.PerDay) },
		"fee":             func(n *strictyaml.Node) error { return amount(n, &p.Fee) },
		"calls":           p.calls,
		"destinations":    func(n *strictyaml.Node) error { return accounts(n, &p.Destinations) },
		"hotkeys":         func(n *strictyaml.Node) error { return accounts(n, &p.Hotkeys) },
		"subnets":         p.subnets,
	})
	if err == nil && version != "1" {
		err = &strictyaml.Error{Reason: "its first field must be \"version: 1\""}
	}
	return err
}

func amount(n *strictyaml.Node, into **tao.Amount) error {
	*into = new(tao.Amount)
	return strictyaml.Value(n, *into, tao.ParseAmount)
}

func accounts(n *strictyaml.Node, into *[]tao.Account) error {
	return strictyaml.Items(n, func(item *strictyaml.Node) error {
		var a tao.Account
		err := strictyaml.Value(item, &a, tao.ParseAccount)
		*into = append(*into, a)
		return err
	})
}

func limits(n *strictyaml.Node, l *Limits) error {
	if strictyaml.IsNull(n) {
		return nil // "Balances.transfer_all:" allows without a limit of its own
	}
	return strictyaml.Fields(n, map[string]func(*strictyaml.Node) error{
		"per_transaction": func(n *strictyaml.Node) error { return amount(n, &l.PerTransaction) },
		"per_day":         func(n *strictyaml.Node) error { return amount(n, &l.PerDay) },
	})
}

func (p *Policy) calls(n *strictyaml.Node) error {
	return strictyaml.Members(n, func(key, value *strictyaml.Node) error {
		if !isCall(key.Value) {
			return strictyaml.At(key, "%q is not PALLET.CALL", key.Value)
		}
		p.Calls = append(p.Calls, CallRule{Call: key.Value})
		return limits(value, &p.Calls[len(p.Calls)-1].Limits)
	})
}

func isCall(s string) bool {
	pallet, name, ok := cut(s)
	return ok && pallet != "" && name != "" && !strings.ContainsAny(s, " \t\r\n/")
}

func (p *Policy) subnets(n *strictyaml.Node) error {
	return strictyaml.Members(n, func(key, value *strictyaml.Node) error {
		id, err := netuid(key.Value)
		if err != nil {
			return strictyaml.At(key, "%v", err)
		}
		p.Subnets = append(p.Subnets, SubnetRule{NetUID: id})
		return limits(value, &p.Subnets[len(p.Subnets)-1].Limits)
	})
}

// rule finds the rule of a call.
func (p *Policy) rule(call string) (CallRule, bool) {
	i := slices.IndexFunc(p.Calls, func(r CallRule) bool { return r.Call == call })
	if i < 0 {
		return CallRule{}, false
	}
	return p.Calls[i], true
}
