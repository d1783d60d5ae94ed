package chain

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Args are the arguments of a call by name, in any Go form that package scale
// encodes. Accounts are tao.Account or SS58 text, calls are Call.
type Args map[string]any

// Call asks the chain to do something: a pallet, a call of it, arguments. It
// is names only, so it means the same to every runtime that has them.
type Call struct {
	Pallet string
	Name   string
	Args   Args
}

// String prints the call with its arguments in alphabetic order:
// "Balances.transfer_keep_alive(dest: 5F…, value: 1000000000)". Long bytes and
// texts are shortened; [Runtime.Arguments] has all.
func (c Call) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s.%s(", c.Pallet, c.Name)
	for i, name := range slices.Sorted(maps.Keys(c.Args)) {
		if i > 0 {
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%s: %s", name, text(c.Args[name]))
	}
	b.WriteByte(')')
	return b.String()
}

// MarshalJSON writes {"call": "Pallet.name", "args": {…}}.
func (c Call) MarshalJSON() ([]byte, error) {
	args, err := JSON(map[string]any(c.Args))
	if err != nil {
		return nil, fmt.Errorf("write call %s.%s as JSON: %w", c.Pallet, c.Name, err)
	}
	return json.Marshal(struct {
		Call string          `json:"call"`
		Args json.RawMessage `json:"args"`
	}{c.Pallet + "." + c.Name, args})
}

// Arguments lists a call's arguments in the order in which the runtime has
// them. Arguments that the runtime does not know are left out: Check first.
func (r *Runtime) Arguments(c Call) []scale.Field {
	p := r.metadata.Pallet(c.Pallet)
	if p == nil || p.Call(c.Name) == nil {
		return nil
	}
	var list []scale.Field
	for _, f := range p.Call(c.Name).Fields {
		if v, ok := c.Args[f.Name]; ok {
			list = append(list, scale.Field{Name: f.Name, Value: v})
		}
	}
	return list
}

// Inner lists the calls inside a call, outermost first and at any depth: those
// of a batch, the one of a proxy.
func (c Call) Inner() []Call {
	var found []Call
	for _, name := range slices.Sorted(maps.Keys(c.Args)) {
		found = append(found, innerCalls(c.Args[name])...)
	}
	return found
}

func innerCalls(v any) []Call {
	var found []Call
	switch v := v.(type) {
	case Call:
		found = append([]Call{v}, v.Inner()...)
	case []Call:
		for _, c := range v {
			found = append(found, innerCalls(c)...)
		}
	case []any:
		for _, e := range v {
			found = append(found, innerCalls(e)...)
		}
	case *scale.Record:
		for _, f := range v.Fields {
			found = append(found, innerCalls(f.Value)...)
		}
	case *scale.Variant:
		found = innerCalls(v.Value)
	}
	return found
}

const maxText = 80 // characters of one argument in Call.String

// text prints a value for people, on one line.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case string:
		return fmt.Sprintf("%q", clip(v, maxText))
	case []byte:
		return clip(fmt.Sprintf("0x%x", v[:min(len(v), maxText)]), maxText)
	case []any:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = text(e)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case *scale.Record:
		parts := make([]string, len(v.Fields))
		for i, f := range v.Fields {
			parts[i] = f.Name + ": " + text(f.Value)
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case *scale.Variant:
		if v.Value == nil {
			return v.Name
		}
		return v.Name + "(" + text(v.Value) + ")"
	}
	return clip(fmt.Sprint(v), maxText*4)
}

// JSON writes any value that Decode gave, accounts and calls among it, as
// scale.JSON does.
func JSON(v any) ([]byte, error) { return scale.JSON(jsonForm(v)) }

// jsonForm replaces the Go forms of this package by ones that scale.JSON
// writes.
func jsonForm(v any) any {
	switch v := v.(type) {
	case tao.Account:
		return v.String()
	case Call:
		return &scale.Record{Fields: []scale.Field{
			{Name: "call", Value: v.Pallet + "." + v.Name},
			{Name: "args", Value: jsonForm(map[string]any(v.Args))},
		}}
	case map[string]any:
		r := &scale.Record{}
		for _, name := range slices.Sorted(maps.Keys(v)) {
			r.Fields = append(r.Fields, scale.Field{Name: name, Value: jsonForm(v[name])})
		}
		return r
	case []any:
		list := make([]any, len(v))
		for i, e := range v {
			list[i] = jsonForm(e)
		}
		return list
	case *scale.Record:
		r := &scale.Record{Fields: slices.Clone(v.Fields)}
		for i := range r.Fields {
			r.Fields[i].Value = jsonForm(r.Fields[i].Value)
		}
		return r
	case *scale.Variant:
		return &scale.Variant{Name: v.Name, Value: jsonForm(v.Value)}
	}
	return v
}
