package testnode

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/taoctl/taoctl/chain"
)

// watch is a subscription of one session: to an extrinsic's fate or to heads.
type watch struct {
	id      uint64
	method  string // "chain_subscribeNewHeads", or "" for an extrinsic
	session *session
	x       *extrinsic
}

// submit takes an extrinsic into the pool, or refuses it as a node words it.
func (n *Node) submit(params []json.RawMessage) (*extrinsic, *chain.RPCError) {
	if len(params) != 1 {
		return nil, errParams(fmt.Errorf("one extrinsic expected"))
	}
	b, err := unhex(params[0])
	if err != nil {
		return nil, errParams(err)
	}
	x, err := n.read(b)
	if err != nil {
		return nil, &chain.RPCError{Code: 1002, Message: "Verification Error: Runtime error: Execution failed", Data: quote(err.Error())}
	}
	if slices.ContainsFunc(n.pool, func(o *extrinsic) bool { return o.hash == x.hash }) {
		return nil, &chain.RPCError{Code: 1013, Message: "Transaction is already imported", Data: quote("transaction already in pool")}
	}
	if slices.ContainsFunc(n.pool, func(o *extrinsic) bool { return o.signer == x.signer && o.nonce == x.nonce }) {
		return nil, &chain.RPCError{Code: 1014, Message: "Priority is too low: (0 vs 0)", Data: quote("The transaction has too low priority to replace another transaction already in the pool.")}
	}
	if bad := n.check(x); bad != nil && bad.name != "Future" {
		return nil, bad.rpc()
	}
	if n.fault("author_submit", Swallow) == nil {
		n.pool = append(n.pool, x)
	}
	return x, nil
}

// rpc is a refusal in a node's words.
func (i *invalid) rpc() *chain.RPCError {
	words := map[string]string{
		"Stale":             "Transaction is outdated",
		"BadProof":          "Transaction has a bad signature",
		"AncientBirthBlock": "Transaction has an ancient birth block",
		"Payment":           "Inability to pay some fees (e.g. account balance too low)",
	}
	return &chain.RPCError{Code: 1010, Message: "Invalid Transaction", Data: quote(words[i.name])}
}

// subscribe opens a subscription and returns its id. What follows from it at
// once, the first status or a block, is done by the function returned, after
// the reply has left.
func (n *Node) subscribe(s *session, method string, params []json.RawMessage) (id any, then func(), refused *chain.RPCError) {
	n.lastSub++
	w := &watch{id: n.lastSub, session: s}
	switch method {
	case "chain_subscribeNewHeads":
		w.method = method
		then = func() { w.notice(mustJSON(n.best().header())) }
	case "chain_subscribeFinalizedHeads":
		w.method = method
		then = func() { w.notice(mustJSON(n.blocks[n.final].header())) }
	case "author_submitAndWatchExtrinsic":
		x, err := n.submit(params)
		if err != nil {
			return nil, nil, err
		}
		w.x, x.watch = x, w
		then = func() {
			w.notice(`"ready"`)
			n.submitted()
		}
	default:
		return nil, nil, errMethod(method)
	}
	n.watches[w.id] = w
	return fmt.Sprint("sub", w.id), then, nil
}

// submitted builds a block, unless blocks are built by hand.
func (n *Node) submitted() {
	if !n.cfg.Manual {
		n.build()
	}
}

func mustJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		fail("%v", err)
	}
	return string(b)
}

// unsubscribe reports whether there was such a subscription.
func (n *Node) unsubscribe(params []json.RawMessage) bool {
	var id string
	if len(params) != 1 || json.Unmarshal(params[0], &id) != nil {
		return false
	}
	for _, w := range n.watches {
		if fmt.Sprint("sub", w.id) == id {
			delete(n.watches, w.id)
			return true
		}
	}
	return false
}

// Subscriptions tells how many are open.
func (n *Node) Subscriptions() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return len(n.watches)
}

// notice sends a JSON text to a subscription.
func (w *watch) notice(result string) {
	method := "author_extrinsicUpdate"
	if w.method != "" {
		method = "chain_head"
	}
	w.session.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":%q,"params":{"subscription":"sub%d","result":%s}}`, method, w.id, result))
}

// announce tells the followers of heads of a block.
func (n *Node) announce(method string, b *block) {
	for _, w := range n.watches {
		if w.method == method {
			w.notice(mustJSON(b.header()))
		}
	}
}

// notify tells whoever follows an extrinsic.
func (n *Node) notify(x *extrinsic, status string) {
	if x.watch != nil && n.watches[x.watch.id] != nil {
		x.watch.notice(status)
	}
}

// included remembers extrinsics for the news of their finality.
func (n *Node) included(list []*extrinsic) { n.inBlocks = append(n.inBlocks, list...) }

// notifyFinal tells the followers of a finalized block's extrinsics.
func (n *Node) notifyFinal(b *block) {
	n.inBlocks = slices.DeleteFunc(n.inBlocks, func(x *extrinsic) bool {
		if x.block != b.hash {
			return false
		}
		n.notify(x, fmt.Sprintf(`{"finalized":%q}`, b.hash))
		return true
	})
}

// retract returns a block's extrinsics to the pool. Called between the blocks
// of two forks.
func (n *Node) retract(b *block) {
	n.inBlocks = slices.DeleteFunc(n.inBlocks, func(x *extrinsic) bool {
		if x.block != b.hash {
			return false
		}
		n.notify(x, fmt.Sprintf(`{"retracted":%q}`, b.hash))
		n.pool = append(n.pool, x)
		return true
	})
}
