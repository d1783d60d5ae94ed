package chain

import (
	"bytes"
	"context"
	"fmt"
	"strconv"

	"github.com/taoctl/taoctl/scale"
)

// OutsideExtrinsics is [Event.Extrinsic] of what happened before or after a
// block's extrinsics.
const OutsideExtrinsics = -1

// Event is something that the chain did in a block.
type Event struct {
	Extrinsic int // the extrinsic's place in the block, or OutsideExtrinsics
	Pallet    string
	Name      string
	// Fields are the event's values. Unnamed ones, which runtimes up to spec
	// 475 have in pallet SubtensorModule, are called "0", "1" and so on.
	Fields *scale.Record
	Raw    []byte // the whole event record, as stored
}

// Field is the value of a field, or nil where there is none of that name.
func (e Event) Field(name string) any {
	v, _ := e.Fields.Get(name)
	return v
}

// Is reports whether this is an event of that pallet and name.
func (e Event) Is(pallet, name string) bool { return e.Pallet == pallet && e.Name == name }

// String prints the event on one line: "Balances.Transfer{from: …, to: …}".
func (e Event) String() string { return e.Pallet + "." + e.Name + text(e.Fields) }

// Events reads what happened in the view's block. A block that brings an
// upgrade still wrote its events with the runtime before, so they are read
// with the runtime of the parent block.
func (v *View) Events(ctx context.Context) ([]Event, error) {
	r := v.runtime
	if v.header.Number > 0 {
		var err error
		if r, err = v.client.runtimes.at(ctx, v.header.Parent); err != nil {
			return nil, fmt.Errorf("read the runtime of block %d: %w", v.header.Number, err)
		}
	}
	e, err := r.entry("System", "Events")
	if err != nil {
		return nil, err
	}
	key, err := r.metadata.StorageKey(e)
	if err != nil {
		return nil, fmt.Errorf("encode the key of System.Events: %w", err)
	}
	var raw *hexBytes
	if err := v.client.transport.Call(ctx, &raw, "state_getStorage", hexBytes(key), v.header.Hash); err != nil {
		return nil, fmt.Errorf("read the events of block %d: %w", v.header.Number, err)
	}
	if raw == nil {
		return nil, nil
	}
	events, err := r.DecodeEvents(*raw)
	if err != nil {
		return nil, fmt.Errorf("read the events of block %d: %w", v.header.Number, err)
	}
	return events, nil
}

// DecodeEvents reads the value of System.Events.
func (r *Runtime) DecodeEvents(b []byte) ([]Event, error) {
	list := r.metadata.Type(r.metadata.EventRecords())
	if list == nil || list.Kind != scale.KindSequence {
		return nil, r.missing("list of events")
	}
	n, b, err := scale.DecodeCompact(b)
	if err != nil {
		return nil, fmt.Errorf("decode the number of events: %w", err)
	}
	var events []Event
	for i := range n {
		var record struct {
			Phase *scale.Variant
			Event *scale.Variant
		}
		rest, err := r.metadata.DecodePrefix(list.Elem, b, &record)
		if err != nil {
			return nil, fmt.Errorf("decode event %d of %d: %w", i, n, err)
		}
		e, err := r.event(record.Phase, record.Event)
		if err != nil {
			return nil, fmt.Errorf("decode event %d of %d: %w", i, n, err)
		}
		e.Raw = bytes.Clone(b[:len(b)-len(rest)])
		events, b = append(events, e), rest
	}
	if len(b) > 0 {
		return nil, fmt.Errorf("decode events: %d bytes are left after %d events", len(b), n)
	}
	return events, nil
}

func (r *Runtime) event(phase, pallet *scale.Variant) (Event, error) {
	e := Event{Extrinsic: OutsideExtrinsics, Fields: &scale.Record{}}
	if phase != nil && phase.Name == "ApplyExtrinsic" {
		index, ok := phase.Value.(uint32)
		if !ok {
			return e, fmt.Errorf("the extrinsic's place is a %T", phase.Value)
		}
		e.Extrinsic = int(index)
	}
	if pallet == nil {
		return e, fmt.Errorf("it names no pallet")
	}
	event, ok := pallet.Value.(*scale.Variant)
	if !ok {
		return e, fmt.Errorf("event of pallet %s is a %T", pallet.Name, pallet.Value)
	}
	e.Pallet, e.Name = pallet.Name, event.Name
	def := r.eventDef(e)
	if def == nil {
		return e, r.missing("event %s.%s", e.Pallet, e.Name)
	}
	e.Fields = fieldsOf(def, event.Value)
	return e, nil
}

func (r *Runtime) eventDef(e Event) *scale.VariantDef {
	p := r.metadata.Pallet(e.Pallet)
	if p == nil {
		return nil
	}
	return p.Event(e.Name)
}

// fieldsOf gives the value of a variant as a record, whichever of the three
// forms it has.
func fieldsOf(def *scale.VariantDef, value any) *scale.Record {
	if r, ok := value.(*scale.Record); ok && len(def.Fields) > 0 && def.Fields[0].Name != "" {
		return r
	}
	values, ok := value.([]any)
	if !ok || len(def.Fields) == 1 {
		values = []any{value}
	}
	r := &scale.Record{}
	for i := range min(len(def.Fields), len(values)) {
		r.Fields = append(r.Fields, scale.Field{Name: strconv.Itoa(i), Value: values[i]})
	}
	return r
}
