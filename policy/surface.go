package policy

import "github.com/taoctl/taoctl/tao"

// Every name of the chain that this package uses.
const (
	utility  = "Utility"
	proxy    = "Proxy"
	multisig = "Multisig"
	sudo     = "Sudo"
)

// costs says of each call that is known what it takes from the signer's balance
// and where to. What is not here cannot be told: burned_register burns what is
// asked when it is executed; register works for nothing up to spec 400 and burns
// from 401 on; transfer_stake gives away what TAO cannot count.
var costs = map[string]func(a *arguments, p *Part){
	"Balances.transfer":             transfer,
	"Balances.transfer_allow_death": transfer,
	"Balances.transfer_keep_alive":  transfer,
	"Balances.transfer_all":         func(a *arguments, p *Part) { p.Dest, p.All = a.account("dest"), true },
	"Balances.burn":                 func(a *arguments, p *Part) { p.TAO = a.tao("value") },

	"SubtensorModule.add_stake":       addStake,
	"SubtensorModule.add_stake_limit": addStake,

	"SubtensorModule.remove_stake":            nothing,
	"SubtensorModule.remove_stake_limit":      nothing,
	"SubtensorModule.remove_stake_full_limit": nothing,
	"SubtensorModule.unstake_all":             nothing,
	"SubtensorModule.unstake_all_alpha":       nothing,

	"SubtensorModule.move_stake":       moveStake,
	"SubtensorModule.move_stake_limit": moveStake,
	"SubtensorModule.swap_stake":       swapStake,
	"SubtensorModule.swap_stake_limit": swapStake,

	"SubtensorModule.register_limit": func(a *arguments, p *Part) { p.NetUID, p.TAO = a.netuid("netuid"), a.tao("limit_price") },
	"SubtensorModule.pow_register":   func(a *arguments, p *Part) { p.NetUID = a.netuid("netuid") },
	"SubtensorModule.root_register":  nothing,

	"SubtensorModule.increase_take":                 nothing,
	"SubtensorModule.decrease_take":                 nothing,
	"SubtensorModule.set_childkey_take":             nothing,
	"SubtensorModule.set_children":                  nothing,
	"SubtensorModule.claim_root":                    nothing,
	"SubtensorModule.set_coldkey_auto_stake_hotkey": nothing,
	"SubtensorModule.vote":                          nothing,
	"System.remark":                                 nothing,
	"System.remark_with_event":                      nothing,
}

func nothing(*arguments, *Part) {}

func transfer(a *arguments, p *Part) { p.Dest, p.TAO = a.account("dest"), a.tao("value") }

// addStake has no netuid before dynamic TAO: the stake is on the root then.
func addStake(a *arguments, p *Part) {
	p.Hotkey, p.TAO = a.account("hotkey"), a.tao("amount_staked")
	p.NetUID = new(tao.NetUID)
	if _, has := a.args["netuid"]; has {
		p.NetUID = a.netuid("netuid")
	}
}

func moveStake(a *arguments, p *Part) {
	p.Hotkey, p.NetUID = a.account("destination_hotkey"), a.netuid("destination_netuid")
}

func swapStake(a *arguments, p *Part) {
	p.Hotkey, p.NetUID = a.account("hotkey"), a.netuid("destination_netuid")
}
