// Package policy limits what is signed on one machine: how much TAO leaves in a
// transaction, in a day, into a subnet, by which calls, to whom.
//
// A [Policy] is read from a file, [Assess] tells what a call takes, and a
// [Ledger] remembers what was signed. The package knows no network and asks
// nobody. It guards against mistakes of people and scripts that use taoctl, not
// against somebody who has the keys: other tools sign without asking it.
package policy

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/taoctl/taoctl/tao"
	"go.yaml.in/yaml/v3"
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

// maxFile bounds a policy file, in bytes.
const maxFile = 1 << 20

// Parse reads a policy. Unknown and repeated fields are refused: a limit that is
// misspelt would not hold. Errors: *FileError.
func Parse(text []byte) (*Policy, error) {
	if len(text) > maxFile {
		return nil, &FileError{Reason: fmt.Sprintf("it has more than %d bytes", maxFile)}
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var root yaml.Node
	if err := d.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &FileError{Reason: "it is empty"}
		}
		return nil, &FileError{Reason: err.Error()}
	}
	if err := d.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, &FileError{Reason: "it holds more than one document"}
	}
	p := &Policy{digest: sha256.Sum256(text)}
	version := ""
	err := fields(root.Content[0], map[string]func(*yaml.Node) error{
		"version":         func(n *yaml.Node) error { return scalar(n, &version) },
		"per_transaction": func(n *yaml.Node) error { return amount(n, &p.PerTransaction) },
		"per_day":         func(n *yaml.Node) error { return amount(n, &p.PerDay) },
		"fee":             func(n *yaml.Node) error { return amount(n, &p.Fee) },
		"calls":           p.calls,
		"destinations":    func(n *yaml.Node) error { return accounts(n, &p.Destinations) },
		"hotkeys":         func(n *yaml.Node) error { return accounts(n, &p.Hotkeys) },
		"subnets":         p.subnets,
	})
	if err == nil && version != "1" {
		err = &FileError{Reason: "its first field must be \"version: 1\""}
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

func at(n *yaml.Node, format string, args ...any) error {
	return &FileError{Line: n.Line, Reason: fmt.Sprintf(format, args...)}
}

// fields reads a mapping whose keys are known and come once.
func fields(n *yaml.Node, known map[string]func(*yaml.Node) error) error {
	return members(n, func(key, value *yaml.Node) error {
		read, ok := known[key.Value]
		if !ok {
			return at(key, "there is no field %q", key.Value)
		}
		return read(value)
	})
}

// members calls each for every member of a mapping. Aliases are refused: they
// let a small file mean a large one.
func members(n *yaml.Node, each func(key, value *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return at(n, "this must be fields with values")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || value.Kind == yaml.AliasNode:
			return at(key, "anchors and nested keys have no place here")
		case seen[key.Value]:
			return at(key, "%q stands there twice", key.Value)
		}
		seen[key.Value] = true
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

func scalar(n *yaml.Node, into *string) error {
	if n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return at(n, "a value is missing")
	}
	*into = n.Value
	return nil
}

func amount(n *yaml.Node, into **tao.Amount) error {
	var text string
	if err := scalar(n, &text); err != nil {
		return err
	}
	a, err := tao.ParseAmount(text)
	if err != nil {
		return at(n, "%v", err)
	}
	*into = &a
	return nil
}

func accounts(n *yaml.Node, into *[]tao.Account) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return at(n, "this must be a list of addresses; leave the field out to allow all")
	}
	for _, item := range n.Content {
		var text string
		if err := scalar(item, &text); err != nil {
			return err
		}
		a, err := tao.ParseAccount(text)
		if err != nil {
			return at(item, "%v", err)
		}
		*into = append(*into, a)
	}
	return nil
}

func limits(n *yaml.Node, l *Limits) error {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil // "Balances.transfer_all:" allows without a limit of its own
	}
	return fields(n, map[string]func(*yaml.Node) error{
		"per_transaction": func(n *yaml.Node) error { return amount(n, &l.PerTransaction) },
		"per_day":         func(n *yaml.Node) error { return amount(n, &l.PerDay) },
	})
}

func (p *Policy) calls(n *yaml.Node) error {
	return members(n, func(key, value *yaml.Node) error {
		rule := CallRule{Call: key.Value}
		if !isCall(key.Value) {
			return at(key, "%q is not PALLET.CALL", key.Value)
		}
		p.Calls = append(p.Calls, rule)
		return limits(value, &p.Calls[len(p.Calls)-1].Limits)
	})
}

func isCall(s string) bool {
	pallet, name, ok := cut(s)
	return ok && pallet != "" && name != "" && !bytes.ContainsAny([]byte(s), " \t\r\n/")
}

func (p *Policy) subnets(n *yaml.Node) error {
	return members(n, func(key, value *yaml.Node) error {
		id, err := netuid(key.Value)
		if err != nil {
			return at(key, "%v", err)
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
