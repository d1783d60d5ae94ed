package balance

import (
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/tao"
)

// Every name of the chain that this package uses.
const (
	pallet = "Balances"

	transferKeepAlive  = "transfer_keep_alive"
	transferAllowDeath = "transfer_allow_death"
	transferOld        = "transfer" // transfer_allow_death's name at spec 103, with the same meaning
	transferAll        = "transfer_all"
)

func keepAliveCall(to tao.Account, amount tao.Amount) chain.Call {
	return chain.Call{Pallet: pallet, Name: transferKeepAlive, Args: chain.Args{"dest": to, "value": amount}}
}

// allowDeathCall is the transfer that may remove the sender's account, by the
// name that this runtime has for it.
func allowDeathCall(rt *chain.Runtime, to tao.Account, amount tao.Amount) chain.Call {
	c := chain.Call{Pallet: pallet, Name: transferAllowDeath, Args: chain.Args{"dest": to, "value": amount}}
	if rt.Check(c) != nil {
		old := c
		old.Name = transferOld
		if rt.Check(old) == nil {
			return old
		}
	}
	return c
}

func allCall(to tao.Account, keepAlive bool) chain.Call {
	return chain.Call{Pallet: pallet, Name: transferAll, Args: chain.Args{"dest": to, "keep_alive": keepAlive}}
}
