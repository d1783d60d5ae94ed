package embedded

import (
	"slices"
	"strings"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

var proxyPallet = pallet{
	name: "Proxy", index: 16,
	storage: `
		Proxies: Twox64Concat(AccountId) -> (Vec<ProxyDefinition>, u64)
		Announcements: Twox64Concat(AccountId) -> (Vec<ProxyAnnouncement>, u64)`,
	constants: `
		ProxyDepositBase: u64 = 60000000
		ProxyDepositFactor: u64 = 33000000
		MaxProxies: u32 = 20`,
	calls: []call{
		{"0 proxy{real: Address, force_proxy_type: Option<ProxyType>, call: Call}", viaProxy},
		{"1 add_proxy{delegate: Address, proxy_type: ProxyType, delay: u32}", addProxy},
		{"2 remove_proxy{delegate: Address, proxy_type: ProxyType, delay: u32}", removeProxy},
		{"3 remove_proxies", removeProxies},
	},
	events: `
		0 ProxyExecuted{result: Result<(), DispatchError>}
		4 ProxyAdded{delegator: AccountId, delegatee: AccountId, proxy_type: ProxyType, delay: u32}
		5 ProxyRemoved{delegator: AccountId, delegatee: AccountId, proxy_type: ProxyType, delay: u32}`,
	errors: `
		0 TooMany -- there are too many proxies
		1 NotFound -- there is no such proxy
		2 NotProxy -- the signer is no proxy of this account
		4 Duplicate -- it is one already
		6 Unannounced -- this proxy has to announce its calls, which is not modelled
		7 NoSelfProxy -- an account cannot be its own proxy`,
}

const (
	proxyBase   = 60_000_000 // rao, of the deposit
	proxyFactor = 33_000_000 // rao, for each proxy
	mostProxies = 20
)

// definition is who may act for an account, in what, and how many blocks after it
// was announced.
type definition struct {
	Delegate  tao.Account
	ProxyType string
	Delay     uint32
}

type definitions struct {
	List    []definition
	Deposit uint64
}

var proxies = item[definitions]{"Proxy", "Proxies"}

// given is the proxy that a call is about.
func given(from origin, a args) (who tao.Account, d definition, err error) {
	if who, err = from.signed(); err != nil {
		return who, d, err
	}
	if d.Delegate, err = a.address("delegate"); err != nil {
		return who, d, err
	}
	d.ProxyType, d.Delay = arg[*scale.Variant](a, "proxy_type").Name, arg[uint32](a, "delay")
	return who, d, nil
}

func addProxy(x *exec, from origin, a args) error {
	who, d, err := given(from, a)
	if err != nil {
		return err
	}
	have := proxies.get(x, who)
	switch {
	case d.Delegate == who:
		return moduleError{"Proxy", "NoSelfProxy"}
	case slices.Contains(have.List, d):
		return moduleError{"Proxy", "Duplicate"}
	case len(have.List) >= mostProxies:
		return moduleError{"Proxy", "TooMany"}
	}
	if err := x.setProxies(who, append(have.List, d), have.Deposit); err != nil {
		return err
	}
	x.emitProxy("ProxyAdded", who, d)
	return nil
}

func (x *exec) emitProxy(event string, who tao.Account, d definition) {
	x.emit("Proxy", event, map[string]any{
		"delegator": who, "delegatee": d.Delegate, "proxy_type": &scale.Variant{Name: d.ProxyType}, "delay": d.Delay,
	})
}

// setProxies keeps a list, and the deposit that it takes.
func (x *exec) setProxies(who tao.Account, list []definition, deposit uint64) error {
	want := uint64(0)
	if len(list) > 0 {
		want = proxyBase + proxyFactor*uint64(len(list))
	}
	if err := x.deposits(who, deposit, want); err != nil {
		return err
	}
	if len(list) == 0 {
		proxies.remove(x, who)
		return nil
	}
	proxies.set(x, definitions{list, want}, who)
	return nil
}

// deposits changes what an account has set aside.
func (x *exec) deposits(who tao.Account, have, want uint64) error {
	info := account.get(x, who)
	switch {
	case want > have:
		if x.spendable(who) < want-have {
			return moduleError{"Balances", "InsufficientBalance"}
		}
		info.Data.Free -= want - have
		info.Data.Reserved += want - have
		x.emit("Balances", "Reserved", map[string]any{"who": who, "amount": want - have})
	case want < have:
		info.Data.Free += have - want
		info.Data.Reserved -= have - want
		x.emit("Balances", "Unreserved", map[string]any{"who": who, "amount": have - want})
	}
	account.set(x, info, who)
	return nil
}

func removeProxy(x *exec, from origin, a args) error {
	who, d, err := given(from, a)
	if err != nil {
		return err
	}
	have := proxies.get(x, who)
	i := slices.Index(have.List, d)
	if i < 0 {
		return moduleError{"Proxy", "NotFound"}
	}
	if err := x.setProxies(who, slices.Delete(have.List, i, i+1), have.Deposit); err != nil {
		return err
	}
	x.emitProxy("ProxyRemoved", who, d)
	return nil
}

func removeProxies(x *exec, from origin, _ args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	return x.setProxies(who, nil, proxies.get(x, who).Deposit)
}

// viaProxy makes a call as somebody else. That it failed is in the event alone.
func viaProxy(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	realOne, err := a.address("real")
	if err != nil {
		return err
	}
	forced, _ := a.record.Get("force_proxy_type")
	kind, _ := forced.(*scale.Variant)
	list := proxies.get(x, realOne).List
	i := slices.IndexFunc(list, func(d definition) bool {
		return d.Delegate == who && (kind == nil || kind.Name == d.ProxyType)
	})
	switch {
	case i < 0:
		return moduleError{"Proxy", "NotProxy"}
	case list[i].Delay > 0:
		return moduleError{"Proxy", "Unannounced"}
	}
	call := arg[*scale.Variant](a, "call")
	err = errFiltered
	if permits(list[i].ProxyType, call) {
		err = x.dispatch(origin{account: &realOne}, call)
	}
	x.emit("Proxy", "ProxyExecuted", map[string]any{"result": x.result(err)})
	return nil
}

// permitted are the calls that each kind of proxy may make (Bittensor, runtime/src/
// lib.rs, InstanceFilter<RuntimeCall> for ProxyType), as far as they are modelled.
var permitted = map[string]string{
	"Staking": "SubtensorModule.add_stake SubtensorModule.remove_stake SubtensorModule.unstake_all SubtensorModule.unstake_all_alpha " +
		"SubtensorModule.swap_stake SubtensorModule.move_stake SubtensorModule.add_stake_limit SubtensorModule.remove_stake_limit " +
		"SubtensorModule.remove_stake_full_limit SubtensorModule.swap_stake_limit",
	"Registration": "SubtensorModule.burned_register SubtensorModule.register SubtensorModule.register_limit SubtensorModule.pow_register",
	"Transfer":     "Balances.transfer_keep_alive Balances.transfer_allow_death Balances.transfer_all SubtensorModule.transfer_stake",
	"ChildKeys":    "SubtensorModule.set_children SubtensorModule.set_childkey_take",
}

func permits(kind string, call *scale.Variant) bool {
	inner, ok := call.Value.(*scale.Variant)
	if !ok {
		return false
	}
	name := call.Name + "." + inner.Name
	switch kind {
	case "Any":
		return true
	case "NonTransfer":
		return call.Name != "Balances" && name != "SubtensorModule.transfer_stake"
	}
	return slices.Contains(strings.Fields(permitted[kind]), name)
}
