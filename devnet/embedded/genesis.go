package embedded

import (
	"context"
	"fmt"
	"math/big"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/tao"
)

// Subnet is a subnet that a chain begins with.
type Subnet struct {
	NetUID     tao.NetUID
	Name       string
	Symbol     string
	TAO        tao.Amount // its pool's reserves
	Alpha      tao.Alpha
	Burn       tao.Amount // what joining costs
	Difficulty uint64     // hashes of joining by work; 0: work is not taken
	Owner      tao.Account
	Hotkeys    []Hotkey
}

// Hotkey is a neuron that a subnet begins with, with what its owner has staked.
type Hotkey struct {
	Account, Owner tao.Account
	Stake          tao.Alpha
}

// Genesis says how a chain begins.
type Genesis struct {
	Balances map[tao.Account]tao.Amount
	Sudo     tao.Account
	Owned    []tao.Account // coldkeys that are hotkeys too, their own
	Subnets  []Subnet
	// Who decides: members by the collective's name, "Proposers", "Triumvirate",
	// "Economic" or "Building".
	Collectives map[string][]tao.Account
}

// Development is a chain to try things on: each account has a million TAO, and the
// first three are hotkeys of their own. The first is sudo and owns two subnets: one
// where an alpha costs 1 TAO, which takes work, and one where it costs a tenth. They
// have validators, whose keys nobody has, of the last account. The first proposes, and
// the first three decide and review.
func Development(accounts []tao.Account) Genesis {
	g := Genesis{Balances: map[tao.Account]tao.Amount{}, Owned: accounts[:min(3, len(accounts))]}
	for _, a := range accounts {
		g.Balances[a] = 1_000_000 * tao.TAO
	}
	if len(accounts) == 0 {
		return g
	}
	g.Sudo = accounts[0]
	some := func(from, to int) []tao.Account { return accounts[min(from, len(accounts)):min(to, len(accounts))] }
	g.Collectives = map[string][]tao.Account{"Proposers": some(0, 1), "Triumvirate": some(0, 3), "Economic": some(0, 2), "Building": some(1, 3)}
	var hotkeys []Hotkey
	for i := range 3 {
		key := blake2b.Sum256(fmt.Appendf(nil, "a validator of taoctl's devnet: %d", i))
		hotkeys = append(hotkeys, Hotkey{key, accounts[len(accounts)-1], 1000 * tao.OneAlpha})
	}
	g.Subnets = []Subnet{
		{NetUID: 1, Name: "one", Symbol: "α", TAO: 10_000 * tao.TAO, Alpha: 10_000 * tao.OneAlpha, Burn: tao.TAO, Difficulty: 1_000_000, Owner: g.Sudo, Hotkeys: hotkeys},
		{NetUID: 2, Name: "two", Symbol: "β", TAO: 1_000 * tao.TAO, Alpha: 10_000 * tao.OneAlpha, Burn: tao.TAO / 2, Owner: g.Sudo, Hotkeys: hotkeys[:1]},
	}
	return g
}

// Stored is the state of block 0, by storage key.
func (e *Engine) Stored(g Genesis) map[string][]byte {
	x := &exec{d: e.d, storage: empty{}, layers: []map[string][]byte{{}}}
	blockHash.set(x, tao.Hash{}, uint32(0)) // a node puts the block's own here when the first one begins
	var issued tao.Amount
	for who, amount := range g.Balances {
		issued += amount
		info := accountInfo{Providers: 1, Data: accountData{Free: uint64(amount)}}
		info.Data.Flags.Lsh(big.NewInt(1), 127) // of today's layout
		account.set(x, info, who)
	}
	totalIssuance.set(x, uint64(issued))
	issuance.set(x, uint64(issued))
	sudoKey.set(x, g.Sudo)
	networks.set(x, true, root)
	subtoken.set(x, true, root)
	mostNeurons.set(x, mostOnRoot, root)
	perBlock.set(x, mostOnRoot, root)
	for _, a := range g.Owned {
		x.own(a, a)
	}
	for _, s := range g.Subnets {
		x.found(s)
	}
	for name, members := range g.Collectives {
		collective.set(x, members, name)
	}
	allNetworks.set(x, uint16(len(g.Subnets)+1))
	return x.layers[0]
}

// found makes a subnet.
func (x *exec) found(s Subnet) {
	n := uint16(s.NetUID)
	networks.set(x, true, n)
	subtoken.set(x, true, n)
	firstBlock.set(x, 1, n)
	mechanism.set(x, 1, n)
	item[[]byte]{subtensorName, "TokenSymbol"}.set(x, []byte(s.Symbol), n)
	item[any]{subtensorName, "SubnetIdentitiesV3"}.set(x, map[string]any{
		"subnet_name": []byte(s.Name), "github_repo": []byte{}, "subnet_contact": []byte{}, "subnet_url": []byte{},
		"discord": []byte{}, "description": []byte{}, "logo_url": []byte{}, "additional": []byte{},
	}, n)
	subnetTAO.set(x, uint64(s.TAO), n)
	alphaIn.set(x, uint64(s.Alpha), n)
	totalStake.set(x, totalStake.get(x)+uint64(s.TAO))
	issuance.set(x, issuance.get(x)+uint64(s.TAO))
	burn.set(x, uint64(s.Burn), n)
	perBlock.set(x, 100, n)
	if s.Difficulty > 0 {
		workOpen.set(x, true, n)
		difficulty.set(x, s.Difficulty, n)
		leastWork.set(x, 1, n)
	}
	subnetOwner.set(x, s.Owner, n)
	for i, h := range s.Hotkeys {
		if err := x.join(n, h.Account, h.Owner); err != nil {
			panic("embedded: a subnet cannot begin so: " + err.Error())
		}
		if i == 0 {
			ownerHotkey.set(x, h.Account, n)
		}
		if h.Stake > 0 {
			x.give(place{h.Account, h.Owner, n}, uint64(h.Stake))
			alphaOut.set(x, alphaOut.get(x, n)+uint64(h.Stake), n)
		}
	}
	thisBlock.remove(x, n)
	for key, v := range x.layers[0] {
		if v == nil {
			delete(x.layers[0], key)
		}
	}
}

// empty is a state before there is one.
type empty struct{}

func (empty) Get(context.Context, []byte) ([]byte, bool, error)  { return nil, false, nil }
func (empty) Next(context.Context, []byte) ([]byte, bool, error) { return nil, false, nil }
