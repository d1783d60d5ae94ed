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
	err = x.dispatch(origin{account: &realOne, may: list[i].permits}, arg[*scale.Variant](a, "call"))
	x.emit("Proxy", "ProxyExecuted", map[string]any{"result": x.result(err)})
	return nil
}

// permits is what a proxy may call (Bittensor, pallets/proxy/src/lib.rs, do_proxy):
// also not more proxies than it is itself.
func (d definition) permits(call *scale.Variant) bool {
	name, a := parts(call)
	switch name {
	case "Proxy.add_proxy", "Proxy.remove_proxy":
		if !contains(d.ProxyType, arg[*scale.Variant](a, "proxy_type").Name) {
			return false
		}
	case "Proxy.remove_proxies":
		if d.ProxyType != "Any" {
			return false
		}
	}
	if d.ProxyType == "SmallTransfer" && !a.small() {
		return false
	}
	return d.ProxyType == "Any" || slices.ContainsFunc(permitted[d.ProxyType], func(group string) bool {
		return slices.ContainsFunc(strings.Fields(group), func(one string) bool {
			return one == name || one == call.Name+".*"
		})
	})
}

// smallTransfer is what a proxy for small transfers stays below, in rao of TAO or of
// alpha.
const smallTransfer = 500_000_000

// small reports a transfer of less than that.
func (a args) small() bool {
	for _, name := range []string{"value", "alpha_amount"} {
		v, _ := a.record.Get(name)
		if n, ok := v.(uint64); ok {
			return n < smallTransfer
		}
	}
	return false
}

// contains reports that a kind of proxy may make every call of another.
func contains(kind, other string) bool {
	switch {
	case kind == other, kind == "Any":
		return true
	case kind == "NonTransfer":
		return !slices.Contains([]string{"Any", "Transfer", "SmallTransfer", "NonCritical"}, other)
	}
	return kind == "Transfer" && other == "SmallTransfer"
}

// Groups of the calls that are modelled, as the runtime has them (Bittensor, runtime/
// src/proxy_filters/call_groups.rs). The pallets of referenda are in none: the
// runtime that has these filters has no referenda.
const (
	common      = "System.* Timestamp.* Utility.* Multisig.* Proxy.*"
	admin       = "AdminUtils.*"
	tempo       = "AdminUtils.sudo_set_tempo"
	transfers   = "Balances.transfer_keep_alive Balances.transfer_allow_death Balances.transfer_all"
	maintenance = "Balances.force_transfer"
	trading     = "SubtensorModule.add_stake SubtensorModule.add_stake_limit SubtensorModule.remove_stake SubtensorModule.remove_stake_limit " +
		"SubtensorModule.remove_stake_full_limit SubtensorModule.unstake_all SubtensorModule.unstake_all_alpha SubtensorModule.move_stake " +
		"SubtensorModule.swap_stake SubtensorModule.swap_stake_limit"
	giving    = "SubtensorModule.transfer_stake"
	joining   = "SubtensorModule.register SubtensorModule.register_limit SubtensorModule.pow_register"
	burning   = "SubtensorModule.burned_register"
	seats     = "SubtensorModule.root_register"
	kids      = "SubtensorModule.set_children SubtensorModule.set_childkey_take"
	beginning = "SubtensorModule.start_call"
	others    = "SubtensorModule.register_network SubtensorModule.increase_take SubtensorModule.decrease_take SubtensorModule.set_identity " +
		"SubtensorModule.set_coldkey_auto_stake_hotkey"
)

// permitted are the groups that each kind of proxy may call (Bittensor, runtime/src/
// proxy_filters/mod.rs); kinds that are not here may call nothing that is modelled.
var permitted = map[string][]string{
	"NonTransfer":            {common, admin, "Sudo.*", trading, joining, burning, seats, kids, beginning, others},
	"NonFungible":            {common, admin, "Sudo.*", joining, kids, beginning, others},
	"NonCritical":            {common, admin, transfers, maintenance, trading, giving, joining, kids, beginning, others},
	"Owner":                  {tempo},
	"SubnetLeaseBeneficiary": {beginning, tempo},
	"Staking":                {trading},
	"Registration":           {joining, burning},
	"Transfer":               {transfers, giving},
	"SmallTransfer":          {transfers, giving},
	"ChildKeys":              {kids},
}
