package embedded_test

import (
	"errors"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/devnet"
	"github.com/taoctl/taoctl/tao"
)

func remark() chain.Call {
	return chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte{}}}
}

func batchOf(name string, calls ...chain.Call) chain.Call {
	return chain.Call{Pallet: "Utility", Name: name, Args: chain.Args{"calls": calls}}
}

// What a proxy may not do it cannot do in a batch either, nor by making itself a
// proxy of another kind.
func TestProxyFilters(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	alice, bob := w.key("Alice").Account(), w.key("Bob").Account()
	call := func(name string, args chain.Args) chain.Call {
		return chain.Call{Pallet: "SubtensorModule", Name: name, Args: args}
	}
	pay := func(value uint64) chain.Call {
		return chain.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chain.Args{"dest": bob, "value": value}}
	}
	proxy := func(name, kind string) chain.Call {
		return chain.Call{Pallet: "Proxy", Name: name, Args: chain.Args{"delegate": bob, "proxy_type": kind, "delay": uint32(0)}}
	}
	stake := call("add_stake", chain.Args{"hotkey": alice, "netuid": uint16(1), "amount_staked": uint64(1e9)})
	burn := call("burned_register", chain.Args{"netuid": uint16(2), "hotkey": alice})
	give := call("transfer_stake", chain.Args{"destination_coldkey": bob, "hotkey": alice, "origin_netuid": uint16(1), "destination_netuid": uint16(1), "alpha_amount": uint64(1e8)})
	set := func(kind string) {
		t.Helper()
		w.do("Alice", "Proxy.remove_proxies", chain.Args{})
		if _, failure := w.do("Alice", "Proxy.add_proxy", proxy("add_proxy", kind).Args); failure != "" {
			t.Fatalf("add a proxy %s: %s", kind, failure)
		}
	}
	const filtered = "System.CallFiltered"
	for _, c := range []struct {
		kind string
		call chain.Call
		want string // the failure
	}{
		{"NonTransfer", pay(1e9), filtered},
		{"NonTransfer", batchOf("batch", pay(1e9)), filtered},
		{"NonTransfer", batchOf("batch_all", remark(), pay(1e9)), filtered},
		{"NonTransfer", batchOf("force_batch", pay(1e9)), filtered},
		{"NonTransfer", stake, ""},
		{"NonTransfer", give, filtered},
		{"NonTransfer", proxy("add_proxy", "Any"), filtered},
		{"NonTransfer", proxy("add_proxy", "Transfer"), filtered},
		{"NonTransfer", batchOf("batch", proxy("add_proxy", "Any")), filtered},
		{"NonTransfer", proxy("add_proxy", "Staking"), ""},
		{"NonTransfer", chain.Call{Pallet: "Proxy", Name: "remove_proxies"}, filtered},
		{"NonCritical", pay(1e9), ""},
		{"NonCritical", burn, filtered},
		{"NonFungible", stake, filtered},
		{"NonFungible", remark(), ""},
		{"Staking", stake, ""},
		{"Staking", batchOf("batch", stake), filtered},
		{"Staking", give, filtered},
		{"Transfer", give, ""},
		{"SmallTransfer", pay(5e8), filtered},
		{"SmallTransfer", pay(5e8 - 1), ""},
		{"SmallTransfer", stake, filtered},
		{"Registration", burn, ""},
		{"Senate", remark(), filtered},
		{"Any", batchOf("batch", pay(1e9)), ""},
		{"Any", chain.Call{Pallet: "Proxy", Name: "remove_proxies"}, ""},
	} {
		set(c.kind)
		events, failure := w.do("Bob", "Proxy.proxy", chain.Args{"real": alice, "force_proxy_type": nil, "call": c.call})
		if _, executed := events["Proxy.ProxyExecuted"]; failure != c.want || !executed {
			t.Errorf("%s makes %s.%s: failed with %q, want %q", c.kind, c.call.Pallet, c.call.Name, failure, c.want)
		}
	}
}

// Batches do not nest, not even for root's sake; root itself is not asked.
func TestBatchesDoNotNest(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	for _, outer := range []string{"batch", "batch_all", "force_batch"} {
		for _, inner := range []string{"batch", "batch_all", "force_batch"} {
			if events, failure := w.do("Alice", "Utility."+outer, batchOf(outer, remark(), batchOf(inner)).Args); failure != "System.CallFiltered" || events["System.ExtrinsicFailed"].Name == "" {
				t.Errorf("%s in %s: %q", inner, outer, failure)
			}
		}
	}
	if _, failure := w.do("Alice", "Sudo.sudo", chain.Args{"call": batchOf("batch", batchOf("batch", remark()))}); failure != "" {
		t.Errorf("by root: %q", failure)
	}
}

// What the pool refuses.
func TestPoolRefuses(t *testing.T) {
	w := start(t, devnet.Options{Manual: true})
	nested := func(levels int) chain.Call {
		c := remark()
		for range levels {
			c = chain.Call{Pallet: "Multisig", Name: "as_multi_threshold_1", Args: chain.Args{"other_signatories": []tao.Account{{1}}, "call": c}}
		}
		return c
	}
	for _, c := range []struct {
		by     string
		call   chain.Call
		reason string
	}{
		{"Bob", chain.Call{Pallet: "Sudo", Name: "sudo", Args: chain.Args{"call": remark()}}, "BadSigner"},
		{"Bob", nested(9), "Call"},
	} {
		var rpc *chain.RPCError
		err := w.submit(w.sign(c.by, c.call.Pallet+"."+c.call.Name, c.call.Args))
		w.nonces[c.by]--
		if !errors.As(err, &rpc) || w.view().Runtime().Refusal(err).Reason != c.reason {
			t.Errorf("%s: %v, want %s", c.call.Name, err, c.reason)
		}
	}
	if err := w.submit(w.sign("Bob", "Multisig.as_multi_threshold_1", nested(8).Args)); err != nil {
		t.Errorf("eight calls within each other: %v", err)
	}
}
