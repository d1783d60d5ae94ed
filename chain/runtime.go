package chain

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/scale"
)

// Runtime is what a chain says of itself: its version and its metadata. It is
// safe for use by several goroutines.
type Runtime struct {
	spec     Spec
	metadata *scale.Metadata
}

// NewRuntime makes a runtime from metadata, with or without a node. It teaches
// m the Go forms of accounts and calls, so m must not be in use elsewhere yet.
func NewRuntime(spec Spec, m *scale.Metadata) *Runtime {
	r := &Runtime{spec: spec, metadata: m}
	r.customize()
	return r
}

// Spec is the runtime's identity.
func (r *Runtime) Spec() Spec { return r.spec }

// Metadata is what the runtime says of its pallets, types and APIs.
func (r *Runtime) Metadata() *scale.Metadata { return r.metadata }

// MissingError says that this runtime has no such pallet, call, argument,
// storage entry, constant or API.
type MissingError struct {
	Spec Spec
	What string // "call SubtensorModule.vote"
}

func (e *MissingError) Error() string { return fmt.Sprintf("runtime %s has no %s", e.Spec, e.What) }

func (r *Runtime) missing(format string, args ...any) error {
	return &MissingError{Spec: r.spec, What: fmt.Sprintf(format, args...)}
}

// entry finds a storage entry.
func (r *Runtime) entry(pallet, name string) (*scale.Entry, error) {
	if p := r.metadata.Pallet(pallet); p != nil {
		if e := p.Entry(name); e != nil {
			return e, nil
		}
	}
	return nil, r.missing("storage %s.%s", pallet, name)
}

// Const is a constant of a pallet.
type Const[V any] struct{ Pallet, Name string }

// Get decodes the constant. Errors are *MissingError or *scale.Error.
func (c Const[V]) Get(r *Runtime) (V, error) {
	var v V
	p := r.metadata.Pallet(c.Pallet)
	if p == nil || p.Constant(c.Name) == nil {
		return v, r.missing("constant %s.%s", c.Pallet, c.Name)
	}
	k := p.Constant(c.Name)
	if err := r.metadata.Decode(k.Type, k.Value, &v); err != nil {
		return v, fmt.Errorf("decode constant %s.%s: %w", c.Pallet, c.Name, err)
	}
	return v, nil
}

// Check tells whether this runtime can take a call as it stands: the pallet,
// the call, and exactly the arguments named. Errors are *MissingError for what
// the runtime lacks, *ArgumentError for an argument that was left out.
func (r *Runtime) Check(c Call) error {
	_, err := r.variant(c)
	return err
}

// ArgumentError says that a call lacks an argument that the runtime asks for.
type ArgumentError struct {
	Call string // "Balances.transfer_all"
	Name string // the argument left out
}

func (e *ArgumentError) Error() string {
	return fmt.Sprintf("call %s lacks its argument %q", e.Call, e.Name)
}

func (r *Runtime) variant(c Call) (*scale.VariantDef, error) {
	p := r.metadata.Pallet(c.Pallet)
	if p == nil {
		return nil, r.missing("pallet %s", c.Pallet)
	}
	call := p.Call(c.Name)
	if call == nil {
		return nil, r.missing("call %s.%s", c.Pallet, c.Name)
	}
	for name := range c.Args {
		if !slices.ContainsFunc(call.Fields, func(f scale.FieldDef) bool { return f.Name == name }) {
			return nil, r.missing("argument %q of call %s.%s", name, c.Pallet, c.Name)
		}
	}
	for _, f := range call.Fields {
		if _, ok := c.Args[f.Name]; !ok {
			return nil, &ArgumentError{Call: c.Pallet + "." + c.Name, Name: f.Name}
		}
	}
	return call, nil
}

// Encode turns a call into bytes, and proves them: decoded, they must encode
// to the same bytes again. So what is shown from the decoded call is what is
// signed.
func (r *Runtime) Encode(c Call) ([]byte, error) {
	if err := r.Check(c); err != nil {
		return nil, err
	}
	b, err := r.encode(c)
	if err != nil {
		return nil, err
	}
	if _, err := r.Decode(b); err != nil {
		return nil, fmt.Errorf("check the encoded call: %w", err)
	}
	return b, nil
}

func (r *Runtime) encode(c Call) ([]byte, error) {
	b, err := r.metadata.Encode(nil, r.metadata.Extrinsic().Call, c)
	if err != nil {
		return nil, fmt.Errorf("encode call %s.%s: %w", c.Pallet, c.Name, err)
	}
	return b, nil
}

// Decode reads a call from all of b. Nested calls come back as Call values
// too. Bytes that the call read from them does not encode to are refused:
// something in them would not be shown.
func (r *Runtime) Decode(b []byte) (Call, error) {
	var v any
	if err := r.metadata.Decode(r.metadata.Extrinsic().Call, b, &v); err != nil {
		return Call{}, fmt.Errorf("decode call: %w", err)
	}
	c, ok := v.(Call)
	if !ok {
		return Call{}, fmt.Errorf("decode call: metadata describes calls in a form that is not known (%T)", v)
	}
	again, err := r.encode(c)
	if err != nil {
		return Call{}, err
	}
	if !bytes.Equal(b, again) {
		return Call{}, fmt.Errorf("decode call %s.%s: its bytes are not those that it encodes to", c.Pallet, c.Name)
	}
	return c, nil
}
