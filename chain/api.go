package chain

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// API is a method of a runtime API, read as V: any Go form that package scale
// decodes, or any for the dynamic value.
//
// Metadata describes runtime APIs from version 15 on. Where a node serves 14
// alone (spec 103), only the methods of fixedAPIs work. Before spec 233 the
// methods of DelegateInfo, NeuronInfo, SubnetInfo and StakeInfo return a
// Vec<u8> that holds the SCALE of something that metadata does not describe:
// read as []byte, they give that (subtensor e2b8367b8 made them typed).
type API[V any] struct{ Trait, Method string }

// Call runs the method at the view's block. Arguments are given in order, in
// any Go form that package scale encodes. Errors are *MissingError, those of
// [Transport], or *scale.Error.
func (a API[V]) Call(ctx context.Context, v *View, args ...any) (V, error) {
	var result V
	def := v.runtime.metadata.API(a.Trait, a.Method)
	if def == nil {
		return a.callFixed(ctx, v, args)
	}
	in, err := a.encode(v.runtime, def, args)
	if err != nil {
		return result, err
	}
	out, err := v.StateCall(ctx, a.String(), in)
	if err != nil {
		return result, err
	}
	if err := v.runtime.metadata.Decode(def.Output, out, &result); err != nil {
		return result, fmt.Errorf("decode the result of %s: %w", a, err)
	}
	return result, nil
}

// String names the method as state_call does: "AccountNonceApi_account_nonce".
func (a API[V]) String() string { return a.Trait + "_" + a.Method }

func (a API[V]) encode(r *Runtime, def *scale.Method, args []any) ([]byte, error) {
	if len(args) != len(def.Inputs) {
		return nil, fmt.Errorf("call %s: it has %d arguments, %d were given", a, len(def.Inputs), len(args))
	}
	var in []byte
	for i, f := range def.Inputs {
		var err error
		if in, err = r.metadata.Encode(in, f.Type, args[i]); err != nil {
			return nil, fmt.Errorf("encode argument %s of %s: %w", f.Name, a, err)
		}
	}
	return in, nil
}

// callFixed runs a method that metadata does not describe.
func (a API[V]) callFixed(ctx context.Context, v *View, args []any) (V, error) {
	var result V
	fixed, ok := fixedAPIs()[a.String()]
	if !ok || v.runtime.metadata.Version() >= 15 {
		return result, v.runtime.missing("runtime API %s", a)
	}
	in, err := fixed.encode(args)
	if err != nil {
		return result, fmt.Errorf("call %s: %w", a, err)
	}
	out, err := v.StateCall(ctx, a.String(), in)
	var rpc *RPCError
	if errors.As(err, &rpc) && strings.Contains(rpc.Error(), "not found") {
		return result, v.runtime.missing("runtime API %s", a)
	}
	if err != nil {
		return result, err
	}
	value, err := fixed.decode(out)
	if err != nil {
		return result, fmt.Errorf("decode the result of %s: %w", a, err)
	}
	result, ok = value.(V)
	if !ok {
		return result, fmt.Errorf("decode the result of %s: it is a %T, not a %T", a, value, result)
	}
	return result, nil
}

// fixedAPI is a method whose types are the same in every runtime.
type fixedAPI struct {
	encode func(args []any) ([]byte, error)
	decode func(out []byte) (any, error)
}

// fixedAPIs are the methods that can be called without their description.
// Substrate has not changed the first since 2019 (frame/system/rpc/runtime-api);
// the second is Bittensor's, from spec 149 on.
func fixedAPIs() map[string]fixedAPI {
	return map[string]fixedAPI{
		"AccountNonceApi_account_nonce":                              {accountArg, decodeU32},
		"SubnetRegistrationRuntimeApi_get_network_registration_cost": {noArgs, decodeU64},
	}
}

func accountArg(args []any) ([]byte, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("it has 1 argument, %d were given", len(args))
	}
	a, ok, err := toAccount(args[0])
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%v is no account", args[0])
	}
	return a[:], nil
}

func noArgs(args []any) ([]byte, error) {
	if len(args) != 0 {
		return nil, fmt.Errorf("it has no arguments, %d were given", len(args))
	}
	return nil, nil
}

func decodeU32(b []byte) (any, error) {
	if len(b) != 4 {
		return nil, fmt.Errorf("%d bytes instead of a u32", len(b))
	}
	return binary.LittleEndian.Uint32(b), nil
}

func decodeU64(b []byte) (any, error) {
	if len(b) != 8 {
		return nil, fmt.Errorf("%d bytes instead of a u64", len(b))
	}
	return binary.LittleEndian.Uint64(b), nil
}

// CallAPI runs a runtime API and returns the dynamic value.
func (v *View) CallAPI(ctx context.Context, trait, method string, args ...any) (any, error) {
	return API[any]{trait, method}.Call(ctx, v, args...)
}

// Nonce is how many extrinsics of an account the chain has taken up to this
// block: the nonce of its next one, pending ones not counted.
func (v *View) Nonce(ctx context.Context, a tao.Account) (uint32, error) {
	return API[uint32]{"AccountNonceApi", "account_nonce"}.Call(ctx, v, a)
}

// Weight is a bound on the work of a call.
type Weight struct {
	RefTime   uint64 // picoseconds on the reference machine
	ProofSize uint64 // bytes
}

// DispatchInfo is what an extrinsic will cost (Substrate's
// RuntimeDispatchInfo).
type DispatchInfo struct {
	Weight     Weight
	Class      string     // Normal, Operational, Mandatory
	PartialFee tao.Amount // the whole fee but the tip, in rao
}

// QueryInfo asks what an extrinsic will cost: extrinsic is the whole of it,
// length prefix included. Its signature is not checked.
//
// It goes through state_call rather than payment_queryInfo, which Chopsticks
// answers wrongly, and hands over bytes rather than values, so that it works
// where metadata does not describe it.
func (v *View) QueryInfo(ctx context.Context, extrinsic []byte) (DispatchInfo, error) {
	const trait, method = "TransactionPaymentApi", "query_info"
	args := binary.LittleEndian.AppendUint32(append([]byte(nil), extrinsic...), uint32(len(extrinsic)))
	out, err := v.StateCall(ctx, trait+"_"+method, args)
	if err != nil {
		return DispatchInfo{}, err
	}
	var info DispatchInfo
	if def := v.runtime.metadata.API(trait, method); def != nil {
		err = v.runtime.metadata.Decode(def.Output, out, &info)
	} else {
		info, err = decodeDispatchInfo(out)
	}
	if err != nil {
		return DispatchInfo{}, fmt.Errorf("decode the result of %s_%s: %w", trait, method, err)
	}
	return info, nil
}

// decodeDispatchInfo reads RuntimeDispatchInfo as every runtime from spec 103
// on writes it: weight as two compacts, class as a byte, fee as a u64
// (Substrate, frame/transaction-payment/src/types.rs and
// primitives/weights/src/weight_v2.rs).
func decodeDispatchInfo(b []byte) (DispatchInfo, error) {
	var info DispatchInfo
	var err error
	if info.Weight.RefTime, b, err = scale.DecodeCompact(b); err != nil {
		return info, err
	}
	if info.Weight.ProofSize, b, err = scale.DecodeCompact(b); err != nil {
		return info, err
	}
	classes := []string{"Normal", "Operational", "Mandatory"}
	if len(b) != 9 || int(b[0]) >= len(classes) {
		return info, fmt.Errorf("%d bytes after the weight instead of a class and a u64", len(b))
	}
	info.Class, info.PartialFee = classes[b[0]], tao.Amount(binary.LittleEndian.Uint64(b[1:]))
	return info, nil
}
