package devnet

import (
	"bytes"
	"context"
	"fmt"

	"github.com/taoctl/taoctl/tao"
)

// subscription is what one session follows.
type subscription struct {
	id      string
	method  string // that opened it
	session *session
	keys    []string // of storage
	last    map[string][]byte
	version uint32 // the runtime's, last told
}

// subscriptions are what can be followed: what ends each, and the name that its
// notices carry (Substrate, client/rpc-api: chain/mod.rs, state/mod.rs,
// author/mod.rs).
func subscriptions() map[string]struct{ end, notice string } {
	return map[string]struct{ end, notice string }{
		"author_submitAndWatchExtrinsic": {"author_unwatchExtrinsic", "author_extrinsicUpdate"},
		"chain_subscribeNewHeads":        {"chain_unsubscribeNewHeads", "chain_newHead"},
		"chain_subscribeAllHeads":        {"chain_unsubscribeAllHeads", "chain_allHead"},
		"chain_subscribeFinalizedHeads":  {"chain_unsubscribeFinalizedHeads", "chain_finalizedHead"},
		"state_subscribeStorage":         {"state_unsubscribeStorage", "state_storage"},
		"state_subscribeRuntimeVersion":  {"state_unsubscribeRuntimeVersion", "state_runtimeVersion"},
	}
}

// aliases are other names of methods that nodes serve.
func aliases() map[string]string {
	return map[string]string{
		"subscribe_newHead":               "chain_subscribeNewHeads",
		"chain_subscribeNewHead":          "chain_subscribeNewHeads",
		"chain_subscribeFinalisedHeads":   "chain_subscribeFinalizedHeads",
		"chain_subscribeRuntimeVersion":   "state_subscribeRuntimeVersion",
		"chain_getFinalisedHead":          "chain_getFinalizedHead",
		"chain_getHead":                   "chain_getBlockHash",
		"chain_getRuntimeVersion":         "state_getRuntimeVersion",
		"state_callAt":                    "state_call",
		"state_getStorageAt":              "state_getStorage",
		"state_getStorageHashAt":          "state_getStorageHash",
		"state_getStorageSizeAt":          "state_getStorageSize",
		"state_getKeysPagedAt":            "state_getKeysPaged",
		"account_nextIndex":               "system_accountNextIndex",
		"chain_unsubscribeNewHead":        "chain_unsubscribeNewHeads",
		"chain_unsubscribeFinalisedHeads": "chain_unsubscribeFinalizedHeads",
		"unsubscribe_newHead":             "chain_unsubscribeNewHeads",
	}
}

func (w *subscription) notice(result any) {
	w.session.send(fmt.Appendf(nil, `{"jsonrpc":"2.0","method":%q,"params":{"subscription":%q,"result":%s}}`, subscriptions()[w.method].notice, w.id, mustJSON(result)))
}

// publish sends a notice to all subscriptions of a method; it needs the lock.
func (c *Chain) publish(method string, result any) {
	for _, w := range c.subs {
		if w.method == method {
			w.notice(result)
		}
	}
}

// subscribe opens a subscription and returns its id. What follows from it at once,
// the first status or a block, is done by then, after the reply has left.
func (c *Chain) subscribe(ctx context.Context, s *session, method string, p params) (id any, then func(), err error) {
	w := &subscription{method: method, session: s}
	var t *transaction
	switch method {
	case "author_submitAndWatchExtrinsic":
		x, err := p.bytes(0)
		if err != nil {
			return nil, nil, err
		}
		if t, err = c.submit(ctx, x); err != nil {
			return nil, nil, err
		}
	case "state_subscribeStorage":
		if w.keys, err = p.keys(0); err != nil {
			return nil, nil, err
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lastSub++
	w.id = fmt.Sprintf("taoctl%d", c.lastSub)
	if t != nil {
		t.watchers = append(t.watchers, w)
	}
	return w.id, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.subs[w.id] = w
		c.begin(w, t)
	}, nil
}

// begin sends a subscription its first notice; it needs the lock.
func (c *Chain) begin(w *subscription, t *transaction) {
	switch w.method {
	case "author_submitAndWatchExtrinsic":
		if len(t.validity.requires) > 0 {
			w.notice("future")
		} else {
			w.notice("ready")
		}
	case "chain_subscribeNewHeads", "chain_subscribeAllHeads":
		w.notice(c.best().header)
	case "chain_subscribeFinalizedHeads":
		w.notice(c.blocks[c.final].header)
	case "state_subscribeStorage":
		w.storage(c.best(), true)
	case "state_subscribeRuntimeVersion":
		w.runtime(c.best())
	}
}

// storage tells what changed under the keys, or with all what lies there.
func (w *subscription) storage(b *block, all bool) {
	if w.last == nil {
		w.last = map[string][]byte{}
	}
	set := changeSet{b.hash, [][2]any{}}
	for _, key := range w.keys {
		value := b.state.value(key)
		if !all && (value == nil) == (w.last[key] == nil) && bytes.Equal(value, w.last[key]) {
			continue
		}
		w.last[key] = value
		set.Changes = append(set.Changes, [2]any{hexBytes(key), orNull(value)})
	}
	if all || len(set.Changes) > 0 {
		w.notice(set)
	}
}

// changeSet is Substrate's StorageChangeSet.
type changeSet struct {
	Block   tao.Hash `json:"block"`
	Changes [][2]any `json:"changes"`
}

// orNull is a value as JSON-RPC has it: null where nothing is stored.
func orNull(value []byte) any {
	if value == nil {
		return nil
	}
	return hexBytes(value)
}

// runtime tells the version if it is another one.
func (w *subscription) runtime(b *block) {
	if v := b.runtime.version.SpecVersion; v != w.version {
		w.version = v
		w.notice(b.runtime.version)
	}
}

// unsubscribe reports whether the session had such a subscription.
func (c *Chain) unsubscribe(s *session, p params) (any, error) {
	var id string
	if err := p.decode(0, &id); err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	w := c.subs[id]
	if w == nil || w.session != s {
		return false, nil
	}
	delete(c.subs, id)
	return true, nil
}
