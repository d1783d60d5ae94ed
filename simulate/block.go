package simulate

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
)

// openBlock has the runtime begin the next block, with all that it does then:
// emission, scheduled calls. The header names a slot where the chain counts them
// (Substrate, primitives/runtime/src/generic/digest.rs, DigestItem::PreRuntime).
func (f *fork) openBlock(ctx context.Context, v *chain.View) error {
	hash := v.Hash()
	header := scale.EncodeCompact(bytes.Clone(hash[:]), uint64(v.Number())+1)
	header = append(header, make([]byte, 64)...) // the roots are not known yet
	digest := []byte{0}
	if v.Runtime().Metadata().Pallet(currentSlot.Pallet) != nil {
		slot, _, err := currentSlot.Get(ctx, v)
		if err != nil {
			return err
		}
		digest = append([]byte{1 << 2, 6}, "aura"...)
		digest = binary.LittleEndian.AppendUint64(append(digest, 8<<2), slot+1)
	}
	_, err := f.call(ctx, initializeBlock, append(header, digest...))
	return err
}

// markBlock writes what System writes when a block begins, and no more (Substrate,
// frame/system/src/lib.rs, initialize and note_finished_initialize).
func (f *fork) markBlock(v *chain.View) error {
	m := v.Runtime().Metadata()
	pallet := m.Pallet(system)
	if pallet == nil {
		return fmt.Errorf("the runtime has no pallet %s", system)
	}
	for _, w := range []struct {
		entry string
		value any // nil: removed
		keys  []any
	}{
		{number, v.Number() + 1, nil},
		{parentHash, v.Hash(), nil},
		{blockHash, v.Hash(), []any{v.Number()}},
		{executionPhase, map[string]any{"ApplyExtrinsic": uint32(0)}, nil},
		{eventCount, nil, nil},
		{events, nil, nil},
		{extrinsicCount, nil, nil},
		{blockWeight, nil, nil},
		{allExtrinsicsLen, nil, nil},
		{blockSize, nil, nil},
	} {
		entry := pallet.Entry(w.entry)
		if entry == nil && w.value == nil {
			continue // this generation does not have it
		}
		if entry == nil {
			return fmt.Errorf("the runtime has no %s.%s", system, w.entry)
		}
		key, err := m.StorageKey(entry, w.keys...)
		if err != nil {
			return err
		}
		if w.value == nil {
			f.changes[string(key)] = nil
			continue
		}
		value, err := m.Encode(nil, entry.Value, w.value)
		if err != nil {
			return err
		}
		f.changes[string(key)] = value
	}
	return nil
}

// The variants of InvalidTransaction and UnknownTransaction, in order (Substrate,
// primitives/runtime/src/transaction_validity.rs). Metadata before V15 do not
// describe them.
var (
	invalidNames = []string{
		"Call", "Payment", "Future", "Stale", "BadProof", "AncientBirthBlock", "ExhaustsResources", "Custom",
		"BadMandatory", "MandatoryValidation", "BadSigner", "IndeterminateImplicit", "UnknownOrigin",
	}
	unknownNames = []string{"CannotLookup", "NoUnsignedValidator", "Custom"}
)

// refusal reads a TransactionValidityError.
func refusal(rt *chain.Runtime, b []byte) (*chain.InvalidError, error) {
	if len(b) < 2 || b[0] > 1 {
		return nil, errors.New("the runtime refused it in a form that is not known")
	}
	kind, names := "Invalid", invalidNames
	if b[0] == 1 {
		kind, names = "Unknown", unknownNames
	}
	if int(b[1]) >= len(names) {
		return nil, fmt.Errorf("the runtime refused it with reason %d, which is not known", b[1])
	}
	reason := &scale.Variant{Name: names[b[1]]}
	if reason.Name == "Custom" && len(b) > 2 {
		reason.Value = b[2]
	}
	refused := rt.Validity(&scale.Variant{Name: kind, Value: reason})
	if refused == nil {
		return nil, fmt.Errorf("the runtime refused it: %s", reason.Name)
	}
	return refused, nil
}
