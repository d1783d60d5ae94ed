package embedded

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// exec is one call into the runtime: what it reads, and what it would write.
type exec struct {
	ctx     context.Context
	d       *description
	storage executor.Storage
	layers  []map[string][]byte // the last is the innermost transaction; nil is removed
}

// broken is what ends a call from within: the storage's error.
type broken struct{ err error }

func (x *exec) raw(key string) []byte {
	for _, l := range slices.Backward(x.layers) {
		if v, ok := l[key]; ok {
			return v
		}
	}
	v, ok, err := x.storage.Get(x.ctx, []byte(key))
	if err != nil {
		panic(broken{err})
	}
	if ok && v == nil {
		v = []byte{}
	}
	return v
}

func (x *exec) write(key string, value []byte) { x.layers[len(x.layers)-1][key] = value }

// together does all of something, or nothing of it.
func (x *exec) together(do func() error) error {
	x.layers = append(x.layers, map[string][]byte{})
	err := do()
	last := len(x.layers) - 1
	if err == nil {
		maps.Copy(x.layers[last-1], x.layers[last])
	}
	x.layers = x.layers[:last]
	return err
}

func (x *exec) changes() []executor.Change {
	var list []executor.Change
	for _, key := range slices.Sorted(maps.Keys(x.layers[0])) {
		v := x.layers[0][key]
		list = append(list, executor.Change{Key: []byte(key), Value: v, Deleted: v == nil})
	}
	return list
}

// item is a storage entry, by its names.
type item[V any] struct{ pallet, name string }

func (i item[V]) entry(x *exec) *scale.Entry { return x.d.metadata.Pallet(i.pallet).Entry(i.name) }

func (i item[V]) key(x *exec, keys []any) string {
	return string(must(x.d.metadata.StorageKey(i.entry(x), keys...)))
}

// must is for what only a mistake of this program could make fail: the types are
// its own.
func must[T any](v T, err error) T {
	if err != nil {
		panic(fmt.Sprintf("embedded: %v", err))
	}
	return v
}

func (i item[V]) has(x *exec, keys ...any) bool { return x.raw(i.key(x, keys)) != nil }

// get is what is stored, or else the default.
func (i item[V]) get(x *exec, keys ...any) (v V) {
	e := i.entry(x)
	raw := x.raw(i.key(x, keys))
	if raw == nil {
		if raw = e.Default; e.Optional {
			return v
		}
	}
	if err := x.d.metadata.Decode(e.Value, raw, &v); err != nil {
		// Whoever changes storage by hand may store what is no value.
		panic(fmt.Sprintf("%s.%s: %v", i.pallet, i.name, err))
	}
	return v
}

func (i item[V]) set(x *exec, v V, keys ...any) {
	x.write(i.key(x, keys), must(x.d.metadata.Encode(nil, i.entry(x).Value, v)))
}

func (i item[V]) remove(x *exec, keys ...any) { x.write(i.key(x, keys), nil) }

// under lists what is stored under the first keys of a map: the other keys' values,
// read into last, which each yields in turn.
func (i item[V]) under(x *exec, first []any, last any) func(yield func(V) bool) {
	return func(yield func(V) bool) {
		prefix := []byte(i.key(x, first))
		into := append(make([]any, len(first)), last)
		for _, key := range x.keys(prefix) {
			if err := x.d.metadata.DecodeStorageKey(i.entry(x), []byte(key), into...); err != nil {
				panic(fmt.Sprintf("%s.%s: %v", i.pallet, i.name, err))
			}
			var v V
			must(0, x.d.metadata.Decode(i.entry(x).Value, x.raw(key), &v))
			if !yield(v) {
				return
			}
		}
	}
}

// keys lists the keys with a prefix, changes counted in.
func (x *exec) keys(prefix []byte) []string {
	found := map[string]bool{}
	for at := prefix; ; {
		next, ok, err := x.storage.Next(x.ctx, at)
		if err != nil {
			panic(broken{err})
		}
		if !ok || !bytes.HasPrefix(next, prefix) {
			break
		}
		found[string(next)], at = true, next
	}
	for _, l := range x.layers {
		for key, v := range l {
			if bytes.HasPrefix([]byte(key), prefix) {
				found[key] = v != nil
			}
		}
	}
	maps.DeleteFunc(found, func(_ string, there bool) bool { return !there })
	return slices.Sorted(maps.Keys(found))
}

// origin is who calls: an account, root, or with neither nobody. What an account may
// call can be limited, and stays so for the calls within a batch.
type origin struct {
	account *tao.Account
	root    bool
	may     func(call *scale.Variant) bool // nil: whatever
}

// allows is the runtime's filter of calls (Bittensor, runtime/src/lib.rs,
// NoNestingCallFilter: no batch within a batch) and that of the origin. Root passes
// both.
func (o origin) allows(call *scale.Variant) bool {
	return o.root || !nests(call) && (o.may == nil || o.may(call))
}

// signed is the account that calls; anything else is refused.
func (o origin) signed() (tao.Account, error) {
	if o.account == nil {
		return tao.Account{}, errBadOrigin
	}
	return *o.account, nil
}

// args are a call's arguments by name. They were decoded by the types declared, so
// that an argument is missing or of another kind is a mistake of this program.
type args struct{ record *scale.Record }

func arg[V any](a args, name string) V {
	v, _ := a.record.Get(name)
	typed, ok := v.(V)
	if !ok {
		panic(fmt.Sprintf("embedded: argument %s is a %T", name, v))
	}
	return typed
}

func (a args) account(name string) tao.Account { return tao.Account(arg[[]byte](a, name)) }
func (a args) amount(name string) uint64       { return arg[uint64](a, name) }
func (a args) netuid(name string) uint16       { return arg[uint16](a, name) }
func (a args) flag(name string) bool           { return arg[bool](a, name) }

// address is the account that a MultiAddress names.
func (a args) address(name string) (tao.Account, error) {
	v := arg[*scale.Variant](a, name)
	id, ok := v.Value.([]byte)
	if v.Name != "Id" || !ok {
		return tao.Account{}, dispatchError{&scale.Variant{Name: "CannotLookup"}}
	}
	return tao.Account(id), nil
}

// dispatchError is why a call fails, as the chain has it.
type dispatchError struct{ value any }

func (e dispatchError) Error() string { return fmt.Sprint(e.value) }

// moduleError is an error of a pallet.
type moduleError struct{ pallet, name string }

func (e moduleError) Error() string { return e.pallet + "." + e.name }

var (
	errBadOrigin    = dispatchError{&scale.Variant{Name: "BadOrigin"}}
	errFunds        = tokenError("FundsUnavailable")
	errBelowMinimum = tokenError("BelowMinimum")
	errNotSpendable = tokenError("NotExpendable")
	errFiltered     = moduleError{"System", "CallFiltered"}
)

func tokenError(name string) error {
	return dispatchError{&scale.Variant{Name: "Token", Value: &scale.Variant{Name: name}}}
}

// dispatchValue is an error as a value of DispatchError.
func (x *exec) dispatchValue(err error) any {
	switch e := err.(type) { //nolint:errorlint // they are never wrapped
	case dispatchError:
		return e.value
	case moduleError:
		p := x.d.metadata.Pallet(e.pallet)
		v := p.Error(e.name)
		if v == nil {
			panic("embedded: there is no error " + e.Error())
		}
		return &scale.Variant{Name: "Module", Value: map[string]any{"index": p.Index, "error": []byte{v.Index, 0, 0, 0}}}
	}
	panic(fmt.Sprintf("embedded: %v is no error of a call", err))
}

// result is an error, or none, as a value of DispatchResult.
func (x *exec) result(err error) any {
	if err != nil {
		return &scale.Variant{Name: "Err", Value: x.dispatchValue(err)}
	}
	return &scale.Variant{Name: "Ok", Value: []any{}}
}

// parts are a call that was decoded: its full name, and its arguments.
func parts(call *scale.Variant) (name string, a args) {
	inner, ok := call.Value.(*scale.Variant)
	if !ok {
		return call.Name, args{new(scale.Record)}
	}
	record, ok := inner.Value.(*scale.Record)
	if !ok {
		record = new(scale.Record)
	}
	return call.Name + "." + inner.Name, args{record}
}

// within are the calls that a call carries as its arguments.
func (a args) within() []*scale.Variant {
	var list []*scale.Variant
	if v, ok := a.record.Get("call"); ok {
		list = append(list, v.(*scale.Variant))
	}
	v, _ := a.record.Get("calls")
	calls, _ := v.([]any)
	for _, c := range calls {
		list = append(list, c.(*scale.Variant))
	}
	return list
}

// dispatch makes a call that was decoded: of a pallet, by its name, with arguments.
// What it writes stays only if it succeeds.
func (x *exec) dispatch(from origin, call *scale.Variant) error {
	name, a := parts(call)
	do := x.d.handlers[name]
	if do == nil || !from.allows(call) {
		return errFiltered
	}
	return x.together(func() error { return do(x, from, a) })
}
