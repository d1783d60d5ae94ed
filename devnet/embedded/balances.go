package embedded

import (
	"math/big"

	"github.com/taoctl/taoctl/tao"
)

var balances = pallet{
	name: "Balances", index: 5,
	storage: `
		TotalIssuance: u64
		Locks: Blake2_128Concat(AccountId) -> Vec<BalanceLock>
		Reserves: Blake2_128Concat(AccountId) -> Vec<ReserveData>`,
	constants: `ExistentialDeposit: u64 = 500`,
	calls: []call{
		{"0 transfer_allow_death{dest: Address, value: Compact<u64>}", func(x *exec, from origin, a args) error { return transfer(x, from, a, false) }},
		{"2 force_transfer{source: Address, dest: Address, value: Compact<u64>}", forceTransfer},
		{"3 transfer_keep_alive{dest: Address, value: Compact<u64>}", func(x *exec, from origin, a args) error { return transfer(x, from, a, true) }},
		{"4 transfer_all{dest: Address, keep_alive: bool}", transferAll},
	},
	events: `
		0 Endowed{account: AccountId, free_balance: u64}
		1 DustLost{account: AccountId, amount: u64}
		2 Transfer{from: AccountId, to: AccountId, amount: u64}
		4 Reserved{who: AccountId, amount: u64}
		5 Unreserved{who: AccountId, amount: u64}
		7 Deposit{who: AccountId, amount: u64}
		8 Withdraw{who: AccountId, amount: u64}`,
	errors: `
		2 InsufficientBalance
		3 ExistentialDeposit
		4 Expendability`,
}

var transactionPayment = pallet{
	name: "TransactionPayment", index: 6,
	events: `0 TransactionFeePaid{who: AccountId, actual_fee: u64, tip: u64}`,
}

const existentialDeposit = 500 // rao

// accountInfo is what the chain keeps of an account.
type accountInfo struct {
	Nonce, Consumers, Providers, Sufficients uint32
	Data                                     accountData
}

type accountData struct {
	Free, Reserved, Frozen uint64
	Flags                  big.Int // 16 bytes
}

var (
	account       = item[accountInfo]{"System", "Account"}
	totalIssuance = item[uint64]{"Balances", "TotalIssuance"}
)

func (x *exec) balance(who tao.Account) uint64 { return account.get(x, who).Data.Free }

// spendable is what an account can give and stay.
func (x *exec) spendable(who tao.Account) uint64 {
	return max(x.balance(who), existentialDeposit) - existentialDeposit
}

// put sets what an account has free. Less than the existential deposit is nothing:
// the account goes, and the dust with it, unless something of it is set aside.
func (x *exec) put(who tao.Account, amount uint64) {
	info := account.get(x, who)
	old := info.Data.Free
	if amount < existentialDeposit && info.Data.Reserved == 0 {
		if amount > 0 {
			x.emit("Balances", "DustLost", map[string]any{"account": who, "amount": amount})
			totalIssuance.set(x, totalIssuance.get(x)-amount)
		}
		if old > 0 {
			account.remove(x, who)
			x.emit("System", "KilledAccount", map[string]any{"account": who})
		}
		return
	}
	info.Data.Free = amount
	if info.Providers == 0 {
		info.Providers = 1
		x.emit("System", "NewAccount", map[string]any{"account": who})
		x.emit("Balances", "Endowed", map[string]any{"account": who, "free_balance": amount})
	}
	account.set(x, info, who)
}

func transfer(x *exec, from origin, a args, keepAlive bool) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	to, err := a.address("dest")
	if err != nil {
		return err
	}
	return x.transfer(who, to, a.amount("value"), keepAlive)
}

func (x *exec) transfer(who, to tao.Account, amount uint64, keepAlive bool) error {
	if who == to || amount == 0 {
		x.emit("Balances", "Transfer", map[string]any{"from": who, "to": to, "amount": amount})
		return nil
	}
	have, has := x.balance(who), x.balance(to)
	switch {
	case have < amount:
		return errFunds
	case keepAlive && have-amount < existentialDeposit:
		return errNotSpendable
	case has+amount < existentialDeposit:
		return errBelowMinimum
	}
	x.put(to, has+amount)
	x.emit("Balances", "Transfer", map[string]any{"from": who, "to": to, "amount": amount})
	x.put(who, have-amount)
	return nil
}

// forceTransfer is for root alone.
func forceTransfer(x *exec, from origin, a args) error {
	if !from.root {
		return errBadOrigin
	}
	who, err := a.address("source")
	if err != nil {
		return err
	}
	to, err := a.address("dest")
	if err != nil {
		return err
	}
	return x.transfer(who, to, a.amount("value"), false)
}

func transferAll(x *exec, from origin, a args) error {
	who, err := from.signed()
	if err != nil {
		return err
	}
	to, err := a.address("dest")
	if err != nil {
		return err
	}
	amount := x.balance(who)
	if a.flag("keep_alive") {
		amount = x.spendable(who)
	}
	return x.transfer(who, to, amount, a.flag("keep_alive"))
}

// withdraw takes from an account that stays, and out of circulation.
func (x *exec) withdraw(who tao.Account, amount uint64) {
	x.put(who, x.balance(who)-amount)
	totalIssuance.set(x, totalIssuance.get(x)-amount)
	x.emit("Balances", "Withdraw", map[string]any{"who": who, "amount": amount})
}

// deposit puts into circulation what was out of it.
func (x *exec) deposit(who tao.Account, amount uint64) {
	totalIssuance.set(x, totalIssuance.get(x)+amount)
	x.put(who, x.balance(who)+amount)
	x.emit("Balances", "Deposit", map[string]any{"who": who, "amount": amount})
}

// charge takes a fee, and counts the transaction. The fee is burned: nobody authors
// blocks here.
func (x *exec) charge(who tao.Account, fee uint64) {
	if fee > 0 {
		x.withdraw(who, fee)
		issuance.set(x, issuance.get(x)-fee)
	}
	info := account.get(x, who)
	info.Nonce++
	account.set(x, info, who)
}
