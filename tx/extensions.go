package tx

import (
	"fmt"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// terms is what a transaction extension may need to know: all that is signed
// besides the call.
type terms struct {
	spec    chain.Spec
	genesis tao.Hash
	nonce   uint32
	era     Era
	tip     tao.Amount
}

// extension gives the two halves of one transaction extension: extra travels in
// the extrinsic, implicit is only signed. nothing stands for a half that must
// encode to no bytes.
type extension func(t terms) (extra, implicit any)

// nothing marks a half that carries no value.
type nothing struct{}

// extensions are those that carry data on any generation from spec 103 to 475
// (chain facts §1.2). Which of them apply, and in what order, the runtime's
// metadata says.
var extensions = map[string]extension{
	"CheckSpecVersion": func(t terms) (any, any) { return nothing{}, t.spec.SpecVersion },
	"CheckTxVersion":   func(t terms) (any, any) { return nothing{}, t.spec.TxVersion },
	"CheckGenesis":     func(t terms) (any, any) { return nothing{}, t.genesis },
	"CheckMortality":   func(t terms) (any, any) { return t.era.value(), t.birthHash() },
	"CheckEra":         func(t terms) (any, any) { return t.era.value(), t.birthHash() }, // CheckMortality's older name
	"CheckNonce":       func(t terms) (any, any) { return t.nonce, nothing{} },
	"ChargeTransactionPayment": func(t terms) (any, any) {
		return t.tip, nothing{}
	},
	// Mode Disabled: the signer vouches for the metadata by having decoded the
	// call itself. Only hardware devices, which cannot, need the other mode.
	"CheckMetadataHash": func(terms) (any, any) { return map[string]any{"mode": "Disabled"}, nil },
}

// birthHash is signed so that only the chain that holds this block accepts the
// extrinsic: the genesis for an immortal one.
func (t terms) birthHash() tao.Hash {
	if t.era.Immortal() {
		return t.genesis
	}
	return t.era.BirthHash
}

// ExtensionError says that this runtime wants something signed that this
// program does not know. Leaving it out would make the signature wrong;
// guessing could sign away what nobody agreed to. So nothing is signed.
type ExtensionError struct {
	Name string // as in the metadata
	Half string // "extra" or "implicit"
	Type string // what it would have to be
}

func (e *ExtensionError) Error() string {
	return fmt.Sprintf("this runtime asks for transaction extension %s (%s of type %s), which this version of taoctl does not know", e.Name, e.Half, e.Type)
}

// encodeExtensions encodes both halves of every extension that the runtime
// lists, in its order. An unknown extension passes when it encodes to nothing,
// and is refused otherwise.
func encodeExtensions(rt *chain.Runtime, t terms) (extra, implicit []byte, err error) {
	meta := rt.Metadata()
	half := func(dst []byte, name, which string, id scale.TypeID, value any) ([]byte, error) {
		if _, none := value.(nothing); none {
			if meta.IsEmpty(id) {
				return dst, nil
			}
			return nil, &ExtensionError{Name: name, Half: which, Type: meta.TypeName(id)}
		}
		dst, err := meta.Encode(dst, id, value)
		if err != nil {
			return nil, fmt.Errorf("transaction extension %s: %w", name, err)
		}
		return dst, nil
	}
	for _, x := range meta.Extrinsic().Extensions {
		var e, i any = nothing{}, nothing{}
		if give, known := extensions[x.Name]; known {
			e, i = give(t)
		}
		if extra, err = half(extra, x.Name, "extra", x.Extra, e); err != nil {
			return nil, nil, err
		}
		if implicit, err = half(implicit, x.Name, "implicit", x.Implicit, i); err != nil {
			return nil, nil, err
		}
	}
	return extra, implicit, nil
}
