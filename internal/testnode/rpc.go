package testnode

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Errors as a node words them (Substrate, client/rpc-api).
func errMethod(method string) *chain.RPCError {
	return &chain.RPCError{Code: -32601, Message: "Method not found", Data: quote(method)}
}

func errParams(err error) *chain.RPCError {
	return &chain.RPCError{Code: -32602, Message: "Invalid params", Data: quote(err.Error())}
}

func errExecution(name string) *chain.RPCError {
	return &chain.RPCError{Code: 4003, Message: "Client error: Execution failed: Runtime panicked: exported method not found: " + name}
}

var errNoBlock = chain.RPCError{Code: 4003, Message: "Client error: UnknownBlock: Header was not found in the database"}

func quote(s string) json.RawMessage {
	b, _ := json.Marshal(s)
	return b
}

// answer serves a method that is no subscription. Called with mu held.
func (n *Node) answer(method string, params []json.RawMessage) (any, *chain.RPCError) {
	switch method {
	case "system_chain":
		return "Test", nil
	case "chain_getBlockHash":
		return n.blockHash(params)
	case "chain_getFinalizedHead":
		return n.blocks[n.final].hash, nil
	case "author_submitExtrinsic":
		x, err := n.submit(params)
		if err != nil {
			return nil, err
		}
		return x.hash, nil
	case "author_pendingExtrinsics":
		list := []string{}
		for _, x := range n.pool {
			list = append(list, hexOf(x.bytes))
		}
		return list, nil
	case "system_accountNextIndex":
		return n.nextIndex(params)
	}
	return n.atBlock(method, params)
}

// atBlock serves the methods whose last parameter is a block, the best one if
// it is left out.
func (n *Node) atBlock(method string, params []json.RawMessage) (any, *chain.RPCError) {
	before := map[string]int{
		"chain_getHeader": 0, "chain_getBlock": 0, "state_getRuntimeVersion": 0, "state_getMetadata": 0,
		"state_getStorage": 1, "state_getStorageHash": 1, "state_queryStorageAt": 1, "state_call": 2, "state_getKeysPaged": 3,
	}
	at, known := before[method]
	if !known || method == "state_getStorageHash" && n.cfg.NoCode {
		return nil, errMethod(method)
	}
	b, err := n.find(params, at)
	if err != nil {
		return nil, errParams(err)
	}
	if b == nil {
		if method == "chain_getHeader" || method == "chain_getBlock" {
			return nil, nil
		}
		return nil, &errNoBlock
	}
	switch method {
	case "chain_getHeader":
		return b.header(), nil
	case "chain_getBlock":
		return b.body(), nil
	case "state_getRuntimeVersion":
		s := b.runtime.Spec()
		return map[string]any{
			"specName": s.Name, "implName": s.Name, "authoringVersion": 1, "stateVersion": 1, "apis": []any{},
			"specVersion": s.SpecVersion, "implVersion": s.ImplVersion, "transactionVersion": s.TxVersion,
		}, nil
	case "state_getMetadata":
		if b.runtime.Metadata().Version() != 14 {
			return nil, errExecution("Metadata_metadata") // this node keeps one blob, of another version
		}
		return hexOf(b.runtime.blob), nil
	case "state_call":
		return n.call(b, params)
	}
	return b.storage(method, params)
}

func (n *Node) blockHash(params []json.RawMessage) (any, *chain.RPCError) {
	number := n.best().number
	if len(params) > 0 && string(params[0]) != "null" {
		if err := json.Unmarshal(params[0], &number); err != nil {
			return nil, errParams(err)
		}
	}
	if int(number) >= len(n.blocks) {
		return nil, nil
	}
	return n.blocks[number].hash, nil
}

// find takes the block that a parameter names.
func (n *Node) find(params []json.RawMessage, at int) (*block, error) {
	if len(params) <= at || string(params[at]) == "null" {
		return n.best(), nil
	}
	var hash tao.Hash
	if err := json.Unmarshal(params[at], &hash); err != nil {
		return nil, err
	}
	for _, b := range n.blocks {
		if b.hash == hash {
			return b, nil
		}
	}
	return nil, nil
}

func (b *block) header() any {
	return map[string]any{
		"number": fmt.Sprintf("0x%x", b.number), "parentHash": b.parent, "stateRoot": tao.Hash{},
		"extrinsicsRoot": tao.Hash{}, "digest": map[string]any{"logs": []any{}},
	}
}

func (b *block) body() any {
	list := []string{}
	for _, x := range b.extrinsics {
		list = append(list, hexOf(x))
	}
	return map[string]any{"block": map[string]any{"header": b.header(), "extrinsics": list}, "justifications": nil}
}

func hexOf(b []byte) string { return "0x" + hex.EncodeToString(b) }

func unhex(raw json.RawMessage) ([]byte, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return nil, err
	}
	digits, ok := strings.CutPrefix(s, "0x")
	if !ok {
		return nil, fmt.Errorf("%q is not hex", s)
	}
	return hex.DecodeString(digits)
}

// code is the storage key ":code".
const code = ":code"

func (b *block) storage(method string, params []json.RawMessage) (any, *chain.RPCError) {
	if method == "state_queryStorageAt" {
		return b.query(params)
	}
	key, err := unhex(params[0])
	if err != nil {
		return nil, errParams(err)
	}
	switch {
	case method == "state_getKeysPaged":
		return b.keys(string(key), params)
	case method == "state_getStorageHash" && string(key) == code:
		return b.runtime.code, nil
	case method == "state_getStorageHash":
		return nil, errParams(fmt.Errorf("this node hashes %s alone", code))
	}
	return b.value(string(key)), nil
}

func (b *block) value(key string) any {
	if v, ok := b.state[key]; ok {
		return hexOf([]byte(v))
	}
	return nil
}

func (b *block) query(params []json.RawMessage) (any, *chain.RPCError) {
	var keys []json.RawMessage
	if err := json.Unmarshal(params[0], &keys); err != nil {
		return nil, errParams(err)
	}
	changes := [][2]any{}
	for _, raw := range keys {
		key, err := unhex(raw)
		if err != nil {
			return nil, errParams(err)
		}
		changes = append(changes, [2]any{hexOf(key), b.value(string(key))})
	}
	return []any{map[string]any{"block": b.hash, "changes": changes}}, nil
}

func (b *block) keys(prefix string, params []json.RawMessage) (any, *chain.RPCError) {
	var count int
	if err := json.Unmarshal(params[1], &count); err != nil {
		return nil, errParams(err)
	}
	after := ""
	if string(params[2]) != "null" {
		raw, err := unhex(params[2])
		if err != nil {
			return nil, errParams(err)
		}
		after = string(raw)
	}
	var all []string
	for k := range b.state {
		if strings.HasPrefix(k, prefix) && k > after {
			all = append(all, k)
		}
	}
	slices.Sort(all)
	list := []string{}
	for _, k := range all[:min(count, len(all))] {
		list = append(list, hexOf([]byte(k)))
	}
	return list, nil
}

// call serves the runtime APIs that a wallet needs, and those of OnAPI.
func (n *Node) call(b *block, params []json.RawMessage) (any, *chain.RPCError) {
	var name string
	if err := json.Unmarshal(params[0], &name); err != nil {
		return nil, errParams(err)
	}
	args, err := unhex(params[1])
	if err != nil {
		return nil, errParams(err)
	}
	if own, ok := n.apis[name]; ok {
		out, err := own(args)
		if err != nil {
			return nil, &chain.RPCError{Code: 4003, Message: err.Error()}
		}
		return hexOf(out), nil
	}
	version := b.runtime.Metadata().Version()
	switch {
	case name == "AccountNonceApi_account_nonce" && len(args) == 32:
		return hexOf(binary.LittleEndian.AppendUint32(nil, n.nonceAt(b, tao.Account(args)))), nil
	case name == "TransactionPaymentApi_query_info" && len(args) > 4:
		return hexOf(dispatchInfo(feeOf(len(args) - 4))), nil
	case name == "Metadata_metadata_versions" && version > 14:
		return hexOf([]byte{4, byte(version), 0, 0, 0}), nil
	case name == "Metadata_metadata_at_version" && version > 14:
		if !bytes.Equal(args, []byte{byte(version), 0, 0, 0}) {
			return hexOf([]byte{0}), nil
		}
		return hexOf(append(scale.EncodeCompact([]byte{1}, uint64(len(b.runtime.blob))), b.runtime.blob...)), nil
	}
	return nil, errExecution(name)
}

func dispatchInfo(fee tao.Amount) []byte {
	b := scale.EncodeCompact(nil, 1000) // ref_time
	b = scale.EncodeCompact(b, 0)       // proof_size
	return binary.LittleEndian.AppendUint64(append(b, 0), uint64(fee))
}

// nonceAt reads a nonce in the state of a block.
func (n *Node) nonceAt(b *block, a tao.Account) uint32 {
	at := &Node{tb: n.tb, runtime: b.runtime, state: b.state}
	return at.account(a).nonce()
}

func (n *Node) nextIndex(params []json.RawMessage) (any, *chain.RPCError) {
	var a tao.Account
	if len(params) != 1 {
		return nil, errParams(fmt.Errorf("one account expected"))
	}
	if err := json.Unmarshal(params[0], &a); err != nil {
		return nil, errParams(err)
	}
	next := n.account(a).nonce()
	for _, x := range n.pool {
		if x.signer == a && x.nonce == next {
			next++
		}
	}
	return next, nil
}
