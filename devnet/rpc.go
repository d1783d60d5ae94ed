package devnet

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strconv"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/tao"
)

// method answers a JSON-RPC method that is no subscription.
type method func(ctx context.Context, c *Chain, p params) (any, error)

// methods are those of a Substrate node (client/rpc-api, and frame/system/rpc and
// frame/transaction-payment/rpc) that wallets use, and those of development.
func methods() map[string]method {
	return map[string]method{
		"author_pendingExtrinsics": func(_ context.Context, c *Chain, _ params) (any, error) { return c.pending(), nil },
		"author_submitExtrinsic":   submitExtrinsic,

		"chain_getBlock":         getBlock,
		"chain_getBlockHash":     getBlockHash,
		"chain_getFinalizedHead": getFinalizedHead,
		"chain_getHeader":        getHeader,

		"payment_queryFeeDetails": queryFeeDetails,
		"payment_queryInfo":       queryInfo,

		"state_call":              stateCall,
		"state_getKeysPaged":      getKeysPaged,
		"state_getMetadata":       getMetadata,
		"state_getRuntimeVersion": getRuntimeVersion,
		"state_getStorage":        getStorage,
		"state_getStorageHash":    getStorageHash,
		"state_getStorageSize":    getStorageSize,
		"state_queryStorageAt":    queryStorageAt,

		"system_accountNextIndex":     accountNextIndex,
		"system_chain":                func(_ context.Context, c *Chain, _ params) (any, error) { return c.opts.Name, nil },
		"system_chainType":            constant("Development"),
		"system_health":               constant(map[string]any{"peers": 0, "isSyncing": false, "shouldHavePeers": false}),
		"system_localListenAddresses": constant([]string{}),
		"system_name":                 constant("taoctl devnet"),
		"system_nodeRoles":            constant([]string{"Authority"}),
		"system_peers":                constant([]string{}),
		"system_properties":           constant(map[string]any{"ss58Format": 42, "tokenDecimals": 9, "tokenSymbol": "TAO"}),
		"system_version":              constant("1"),

		"rpc_methods": rpcMethods,

		"dev_fail":              devFail,
		"dev_heal":              devHeal,
		"dev_newBlock":          devNewBlock,
		"dev_reorganize":        devReorganize,
		"dev_restore":           devRestore,
		"dev_setBlockBuildMode": devSetBlockBuildMode,
		"dev_setHead":           devSetHead,
		"dev_setStorage":        devSetStorage,
		"dev_snapshot":          devSnapshot,
		"dev_timeTravel":        devTimeTravel,
	}
}

func constant(v any) method {
	return func(context.Context, *Chain, params) (any, error) { return v, nil }
}

func rpcMethods(context.Context, *Chain, params) (any, error) {
	list := slices.Collect(maps.Keys(methods()))
	for name, s := range subscriptions() {
		list = append(list, name, s.end)
	}
	list = slices.AppendSeq(list, maps.Keys(aliases()))
	slices.Sort(list)
	return map[string]any{"methods": list}, nil
}

func submitExtrinsic(ctx context.Context, c *Chain, p params) (any, error) {
	x, err := p.bytes(0)
	if err != nil {
		return nil, err
	}
	t, err := c.submit(ctx, x)
	if err != nil {
		return nil, err
	}
	return t.hash, nil
}

func getBlock(_ context.Context, c *Chain, p params) (any, error) {
	b, err := c.block(p, 0)
	if err != nil || b == nil {
		return nil, err
	}
	list := make([]hexBytes, len(b.extrinsics))
	for i, x := range b.extrinsics {
		list[i] = x
	}
	return map[string]any{"block": map[string]any{"header": b.header, "extrinsics": list}, "justifications": nil}, nil
}

// getBlockHash takes a number, a list of them, or nothing for the best block.
func getBlockHash(_ context.Context, c *Chain, p params) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !p.has(0) {
		return c.best().hash, nil
	}
	var list []json.RawMessage
	if json.Unmarshal(p[0], &list) == nil {
		hashes := make([]any, len(list))
		for i, text := range list {
			n, err := blockNumber(text)
			if err != nil {
				return nil, err
			}
			hashes[i] = c.hashAt(n)
		}
		return hashes, nil
	}
	n, err := blockNumber(p[0])
	if err != nil {
		return nil, err
	}
	return c.hashAt(n), nil
}

// blockNumber reads a number, or one in hex as a text (Substrate, primitives/rpc/
// src/number.rs, NumberOrHex).
func blockNumber(text json.RawMessage) (uint32, error) {
	var n uint32
	if json.Unmarshal(text, &n) == nil {
		return n, nil
	}
	var s string
	if json.Unmarshal(text, &s) == nil {
		if v, err := strconv.ParseUint(s, 0, 32); err == nil {
			return uint32(v), nil
		}
	}
	return 0, badParams("%.40s is not a block's number", text)
}

// hashAt is a block's hash, nil if there is none; it needs the lock.
func (c *Chain) hashAt(n uint32) any {
	if b := c.at(n); b != nil {
		return b.hash
	}
	return nil
}

func getFinalizedHead(_ context.Context, c *Chain, _ params) (any, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.blocks[c.final].hash, nil
}

func getHeader(_ context.Context, c *Chain, p params) (any, error) {
	b, err := c.block(p, 0)
	if err != nil || b == nil {
		return nil, err
	}
	return b.header, nil
}

// runtimeCall asks a runtime at a block; what it would change is forgotten.
func (c *Chain) runtimeCall(ctx context.Context, b *block, name string, input []byte) ([]byte, error) {
	res, err := c.engine.Call(ctx, b.state, name, input)
	var missing *executor.MethodError
	if errors.As(err, &missing) {
		return nil, rpcError(4003, "Client error: Execution failed: Other: Exported method "+name+" is not found", "")
	}
	return res.Output, err
}

func stateCall(ctx context.Context, c *Chain, p params) (any, error) {
	var name string
	if err := p.decode(0, &name); err != nil {
		return nil, err
	}
	input, err := p.bytes(1)
	if err != nil {
		return nil, err
	}
	b, err := c.state(p, 2)
	if err != nil {
		return nil, err
	}
	out, err := c.runtimeCall(ctx, b, name, input)
	return hexBytes(out), err
}

func getMetadata(ctx context.Context, c *Chain, p params) (any, error) {
	b, err := c.state(p, 0)
	if err != nil {
		return nil, err
	}
	return hexBytes(b.runtime.metadata.Blob()), nil
}

func getRuntimeVersion(_ context.Context, c *Chain, p params) (any, error) {
	b, err := c.state(p, 0)
	if err != nil {
		return nil, err
	}
	return b.runtime.version, nil
}

// stored is the value that a request asks for, nil if there is none.
func stored(c *Chain, p params) ([]byte, error) {
	key, err := p.bytes(0)
	if err != nil {
		return nil, err
	}
	b, err := c.state(p, 1)
	if err != nil {
		return nil, err
	}
	return b.state.value(string(key)), nil
}

func getStorage(_ context.Context, c *Chain, p params) (any, error) {
	value, err := stored(c, p)
	return orNull(value), err
}

func getStorageHash(_ context.Context, c *Chain, p params) (any, error) {
	value, err := stored(c, p)
	if err != nil || value == nil {
		return nil, err
	}
	return tao.Hash(blake2b.Sum256(value)), nil
}

func getStorageSize(_ context.Context, c *Chain, p params) (any, error) {
	value, err := stored(c, p)
	if err != nil || value == nil {
		return nil, err
	}
	return len(value), nil
}

func queryStorageAt(_ context.Context, c *Chain, p params) (any, error) {
	keys, err := p.keys(0)
	if err != nil {
		return nil, err
	}
	b, err := c.state(p, 1)
	if err != nil {
		return nil, err
	}
	set := changeSet{b.hash, make([][2]any, len(keys))}
	for i, key := range keys {
		set.Changes[i] = [2]any{hexBytes(key), orNull(b.state.value(key))}
	}
	return []changeSet{set}, nil
}

// maxPage is how many keys a node gives at once (Substrate, client/rpc/src/state/
// mod.rs, STORAGE_KEYS_PAGED_MAX_COUNT).
const maxPage = 1000

func getKeysPaged(_ context.Context, c *Chain, p params) (any, error) {
	prefix, after := []byte{}, []byte{}
	var count int
	var err error
	if p.has(0) {
		if prefix, err = p.bytes(0); err != nil {
			return nil, err
		}
	}
	if err := p.decode(1, &count); err != nil {
		return nil, err
	}
	if p.has(2) {
		if after, err = p.bytes(2); err != nil {
			return nil, err
		}
	}
	if count > maxPage {
		return nil, rpcError(4002, "count exceeds maximum value. value: "+strconv.Itoa(count)+", max: "+strconv.Itoa(maxPage), "")
	}
	b, err := c.state(p, 3)
	if err != nil {
		return nil, err
	}
	list := []hexBytes{}
	for _, k := range b.state.keys(string(prefix), string(after), count) {
		list = append(list, hexBytes(k))
	}
	return list, nil
}

// accountNextIndex is the account's nonce after all that waits. What waits names
// it by the tag that CheckNonce provides: account and nonce (Substrate, frame/
// system/src/extensions/check_nonce.rs).
func accountNextIndex(ctx context.Context, c *Chain, p params) (any, error) {
	var a tao.Account
	if err := p.decode(0, &a); err != nil {
		return nil, err
	}
	out, err := c.runtimeCall(ctx, c.head(), "AccountNonceApi_account_nonce", a[:])
	if err != nil {
		return nil, err
	}
	if len(out) != 4 {
		return nil, errors.New("the runtime's nonce is no u32")
	}
	next := binary.LittleEndian.Uint32(out)
	c.mu.Lock()
	defer c.mu.Unlock()
	provided := map[string]bool{}
	for _, t := range c.pool.waiting {
		for _, tag := range t.validity.provides {
			provided[string(tag)] = true
		}
	}
	for provided[string(binary.LittleEndian.AppendUint32(slices.Clone(a[:]), next))] {
		next++
	}
	return next, nil
}

func paymentCall(ctx context.Context, c *Chain, p params, name string) ([]byte, error) {
	x, err := p.bytes(0)
	if err != nil {
		return nil, err
	}
	b, err := c.state(p, 1)
	if err != nil {
		return nil, err
	}
	return c.runtimeCall(ctx, b, name, binary.LittleEndian.AppendUint32(x, uint32(len(x))))
}

// queryInfo tells weight, class and fee (Substrate, frame/transaction-payment/src/
// types.rs, RuntimeDispatchInfo).
func queryInfo(ctx context.Context, c *Chain, p params) (any, error) {
	out, err := paymentCall(ctx, c, p, "TransactionPaymentApi_query_info")
	if err != nil {
		return nil, err
	}
	const tail = 1 + 8 // class and fee
	if len(out) < tail {
		return nil, errors.New("the runtime's fee has a form that is not known")
	}
	r := &reader{b: out[:len(out)-tail]}
	var weight any
	if len(r.b) == 8 { // before weights had two parts
		weight = r.u64()
	} else {
		weight = map[string]uint64{"ref_time": r.compact(), "proof_size": r.compact()}
	}
	class := out[len(out)-tail]
	if r.err != nil || class > 2 {
		return nil, errors.New("the runtime's fee has a form that is not known")
	}
	return map[string]any{
		"weight": weight, "class": []string{"normal", "operational", "mandatory"}[class],
		"partialFee": strconv.FormatUint(binary.LittleEndian.Uint64(out[len(out)-8:]), 10),
	}, nil
}

func queryFeeDetails(ctx context.Context, c *Chain, p params) (any, error) {
	out, err := paymentCall(ctx, c, p, "TransactionPaymentApi_query_fee_details")
	if err != nil {
		return nil, err
	}
	r := &reader{b: out}
	var inclusion any
	if r.byte() == 1 {
		inclusion = map[string]number64{"baseFee": number64(r.u64()), "lenFee": number64(r.u64()), "adjustedWeightFee": number64(r.u64())}
	}
	return map[string]any{"inclusionFee": inclusion}, r.err
}

type number64 uint64

func (n number64) MarshalText() ([]byte, error) {
	return strconv.AppendUint([]byte("0x"), uint64(n), 16), nil
}
