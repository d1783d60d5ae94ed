package embedded

import (
	"slices"

	"github.com/taoctl/taoctl/tao"
)

// apis are the runtime's APIs beside those that a node needs itself.
func apis() []api {
	return []api{
		{"AccountNonceApi.account_nonce(account: AccountId) -> u32", func(x *exec, in []any) any { return account.get(x, accountOf(in[0])).Nonce }},
		{"SubnetRegistrationRuntimeApi.get_network_registration_cost() -> u64", func(*exec, []any) any { return uint64(1000 * one) }},
		{"SwapRuntimeApi.current_alpha_price(netuid: u16) -> u64", func(x *exec, in []any) any { return x.price(in[0].(uint16)) }},
		{"SwapRuntimeApi.current_alpha_price_all() -> Vec<SubnetPrice>", allPrices},
		{"SwapRuntimeApi.sim_swap_tao_for_alpha(netuid: u16, tao: u64) -> SimSwapResult", simulateBuy},
		{"SwapRuntimeApi.sim_swap_alpha_for_tao(netuid: u16, alpha: u64) -> SimSwapResult", simulateSell},
		{"StakeInfoRuntimeApi.get_stake_info_for_coldkey(coldkey_account: AccountId) -> Vec<StakeInfo>", func(x *exec, in []any) any { return x.stakeInfos(accountOf(in[0])) }},
		{"StakeInfoRuntimeApi.get_stake_info_for_coldkeys(coldkey_accounts: Vec<AccountId>) -> Vec<(AccountId, Vec<StakeInfo>)>", stakeInfosOf},
		{"StakeInfoRuntimeApi.get_stake_info_for_hotkey_coldkey_netuid(hotkey_account: AccountId, coldkey_account: AccountId, netuid: u16) -> Option<StakeInfo>", stakeInfoAt},
		{"StakeInfoRuntimeApi.get_stake_availability_for_coldkeys(coldkeys: Vec<AccountId>, netuids: Option<Vec<u16>>) -> BTreeMap<AccountId, BTreeMap<u16, StakeAvailability>>", availability},
		{"DelegateInfoRuntimeApi.get_delegates() -> Vec<DelegateInfo>", delegates},
	}
}

func accountOf(v any) tao.Account { return tao.Account(v.([]byte)) }

func allPrices(x *exec, _ []any) any {
	var list []any
	for _, n := range x.netuids() {
		list = append(list, map[string]any{"netuid": n, "price": x.price(n)})
	}
	return list
}

// simulated is what a swap would come to; one that is not possible comes to nothing.
func simulated(coins, alpha, coinFee, alphaFee, coinSlip, alphaSlip uint64) any {
	return map[string]any{
		"tao_amount": coins, "alpha_amount": alpha, "tao_fee": coinFee, "alpha_fee": alphaFee,
		"tao_slippage": coinSlip, "alpha_slippage": alphaSlip,
	}
}

func simulateBuy(x *exec, in []any) any {
	netuid, amount := in[0].(uint16), in[1].(uint64)
	t, err := x.buys(netuid, amount, false)
	if err != nil || amount == 0 || !networks.get(x, netuid) {
		return simulated(0, 0, 0, 0, 0, 0)
	}
	ideal := t.paid - t.fee
	if p := x.pool(netuid); netuid != root {
		ideal = mulDiv(t.paid-t.fee, p.alpha, p.tao)
	}
	return simulated(t.paid-t.fee, t.got, t.fee, 0, 0, max(ideal, t.got)-t.got)
}

func simulateSell(x *exec, in []any) any {
	netuid, amount := in[0].(uint16), in[1].(uint64)
	t, err := x.sells(netuid, amount)
	if err != nil || amount == 0 || !networks.get(x, netuid) {
		return simulated(0, 0, 0, 0, 0, 0)
	}
	ideal := mulDiv(t.paid-t.fee, x.price(netuid), one)
	return simulated(t.got, t.paid-t.fee, 0, t.fee, max(ideal, t.got)-t.got, 0)
}

// stakeInfos lists what a coldkey has, by hotkey and subnet.
func (x *exec) stakeInfos(coldkey tao.Account) []any {
	var list []any
	for _, hotkey := range staking.get(x, coldkey) {
		for _, netuid := range x.netuids() {
			if p := (place{hotkey, coldkey, netuid}); x.stakeAt(p) > 0 {
				list = append(list, x.stakeInfo(p))
			}
		}
	}
	return list
}

func (x *exec) stakeInfo(p place) any {
	earns := uint64(0)
	if total := hotkeyAlpha.get(x, p.hotkey, p.netuid); total > 0 {
		earns = mulDiv(dividends.get(x, p.netuid, p.hotkey), x.stakeAt(p), total)
	}
	return map[string]any{
		"hotkey": p.hotkey, "coldkey": p.coldkey, "netuid": p.netuid, "stake": x.stakeAt(p), "locked": uint64(0),
		"emission": earns, "tao_emission": uint64(0), "drain": uint64(0), "is_registered": member.get(x, p.hotkey, p.netuid),
	}
}

func stakeInfosOf(x *exec, in []any) any {
	var list []any
	for _, c := range in[0].([]any) {
		list = append(list, []any{c, x.stakeInfos(accountOf(c))})
	}
	return list
}

func stakeInfoAt(x *exec, in []any) any {
	p := place{accountOf(in[0]), accountOf(in[1]), in[2].(uint16)}
	if !networks.get(x, p.netuid) {
		return nil
	}
	return x.stakeInfo(p)
}

// availability is what of the alpha may leave: all of it, nothing is locked here.
func availability(x *exec, in []any) any {
	asked, all := in[1].([]any)
	coldkeys := in[0].([]any)
	slices.SortFunc(coldkeys, func(a, b any) int { return slices.Compare(a.([]byte), b.([]byte)) })
	var list []any
	for _, c := range coldkeys {
		totals := map[uint16]uint64{}
		for _, hotkey := range staking.get(x, accountOf(c)) {
			for _, n := range x.netuids() {
				totals[n] += x.stakeAt(place{hotkey, accountOf(c), n})
			}
		}
		var rows []any
		for _, n := range x.netuids() {
			if t := totals[n]; t > 0 && (!all || slices.Contains(asked, any(n))) {
				rows = append(rows, []any{n, map[string]any{"total": t, "locked": uint64(0), "available": t}})
			}
		}
		list = append(list, []any{c, rows})
	}
	return list
}

// delegates lists the hotkeys that others can stake with: all of them.
func delegates(x *exec, _ []any) any {
	var list []any
	var hotkey tao.Account
	for coldkey := range owner.under(x, nil, &hotkey) {
		list = append(list, x.delegate(hotkey, coldkey))
	}
	return list
}

func (x *exec) delegate(hotkey, coldkey tao.Account) any {
	var nominators, seats []any
	for _, who := range x.nominators(hotkey) {
		var rows []any
		for _, n := range x.netuids() {
			if s := x.stakeAt(place{hotkey, who, n}); s > 0 {
				rows = append(rows, []any{n, s})
			}
		}
		nominators = append(nominators, []any{who, rows})
	}
	for _, n := range x.netuids() {
		if member.get(x, hotkey, n) {
			seats = append(seats, n)
		}
	}
	return map[string]any{
		"delegate_ss58": hotkey, "take": takes.get(x, hotkey), "nominators": nominators, "owner_ss58": coldkey,
		"registrations": seats, "validator_permits": []any{}, "return_per_1000": uint64(0), "total_daily_return": uint64(0),
	}
}

// nominators are who has stake with a hotkey.
func (x *exec) nominators(hotkey tao.Account) []tao.Account {
	var list []tao.Account
	var last struct {
		coldkey tao.Account
		netuid  uint16
	}
	prefix := []byte(shares.key(x, []any{hotkey}))
	for _, key := range x.keys(prefix) {
		if err := x.d.metadata.DecodeStorageKey(shares.entry(x), []byte(key), nil, &last.coldkey, &last.netuid); err != nil {
			panic(err.Error())
		}
		if !slices.Contains(list, last.coldkey) {
			list = append(list, last.coldkey)
		}
	}
	return list
}
