package devnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// Account is a development account. Its key is known to everybody: it is derived
// from the phrase that Substrate's own development accounts come from, by the path
// that is its name (subkey, "//Alice").
type Account struct {
	Name    string      `json:"name"` // "Alice"
	Account tao.Account `json:"account"`
}

// Accounts are the development accounts, sr25519.
func Accounts() []Account {
	var list []Account
	for _, a := range []struct{ name, address string }{
		{"Alice", "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"},
		{"Bob", "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty"},
		{"Charlie", "5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y"},
		{"Dave", "5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy"},
		{"Eve", "5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw"},
		{"Ferdie", "5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL"},
	} {
		account, err := tao.ParseAccount(a.address)
		if err != nil {
			panic(err)
		}
		list = append(list, Account{a.name, account})
	}
	return list
}

// Terms are what [Spec.Open] sets.
const (
	Free         = 1_000_000 * tao.TAO // of each development account
	OpenNetUID   = tao.NetUID(1)       // the subnet that anybody may join
	OpenBurn     = tao.TAO             // the price of joining it
	OpenPool     = 10_000 * tao.TAO    // each reserve of its pool: an alpha costs 1 TAO
	OpenRate     = 100                 // registrations in a block, and in an interval
	OpenPuzzle   = 1_000_000           // hashes that joining by work takes on average
	stakesInTime = 1000                // stake calls of a hotkey in an interval, where that is limited
)

// Open makes a chain's beginning one to develop on: rich development accounts, of
// which Alice is sudo and Alice, Bob and Charlie govern, each as its own hotkey;
// one subnet that is open and cheap to join, at a steady price; no limits that take
// hours to pass. What the runtime does not have is left out.
func (s *Spec) Open(ctx context.Context, e Engine) error {
	rt, err := loadRuntime(ctx, e, newState(s.Stored))
	if err != nil {
		return err
	}
	d := &drafts{m: rt.metadata, stored: s.Stored}
	d.fund()
	d.seat()
	d.openSubnet()
	for _, name := range []string{"TxRateLimit", "TxDelegateTakeRateLimit", "TxChildkeyTakeRateLimit", "NetworkRateLimit"} {
		d.set(subtensor, name, uint64(0))
	}
	d.set(subtensor, "TargetStakesPerInterval", uint64(stakesInTime))
	return d.err
}

const subtensor = "SubtensorModule"

// drafts writes values by name. What a runtime does not have is passed over; the
// first error is kept.
type drafts struct {
	m      *scale.Metadata
	stored map[string][]byte
	err    error
}

func (d *drafts) set(pallet, name string, value any, keys ...any) {
	e := entry(d.m, pallet, name)
	if e == nil || d.err != nil {
		return
	}
	var c executor.Change
	if c, d.err = change(d.m, e, keys, value); d.err != nil {
		d.err = fmt.Errorf("set %s.%s: %w", pallet, name, d.err)
		return
	}
	d.stored[string(c.Key)] = c.Value
}

// get is what is stored, or else the runtime's default.
func (d *drafts) get(into any, pallet, name string, keys ...any) bool {
	e := entry(d.m, pallet, name)
	if e == nil || d.err != nil {
		return false
	}
	key, err := d.m.StorageKey(e, keys...)
	value, ok := d.stored[string(key)]
	if !ok {
		value = e.Default
	}
	if err == nil {
		err = d.m.Decode(e.Value, value, into)
	}
	if err != nil {
		d.err = fmt.Errorf("read %s.%s: %w", pallet, name, err)
	}
	return d.err == nil
}

// fund gives every account the same. Both sums of all money follow, or large
// transfers would fail with Arithmetic(Underflow). The top bit of flags marks an
// account of today's layout, without which the first use emits Balances.Upgraded.
func (d *drafts) fund() {
	var issued uint64
	d.get(&issued, "Balances", "TotalIssuance")
	for _, a := range Accounts() {
		var value any
		if !d.get(&value, "System", "Account", a.Account) {
			return
		}
		info, _ := value.(*scale.Record)
		var record *scale.Record
		if info != nil {
			data, _ := info.Get("data")
			record, _ = data.(*scale.Record)
		}
		if record == nil {
			d.err = errors.New("an account of this runtime has no data")
			return
		}
		if before, ok := record.Get("free"); ok {
			had, _ := before.(uint64)
			issued += uint64(Free) - had
		}
		put(record, "free", uint64(Free))
		put(record, "flags", new(big.Int).Lsh(big.NewInt(1), 127))
		put(info, "providers", uint32(1))
		d.set("System", "Account", info, a.Account)
	}
	d.set("Balances", "TotalIssuance", issued)
	d.set(subtensor, "TotalIssuance", issued)
}

// put changes a field where there is one.
func put(r *scale.Record, name string, value any) {
	for i, f := range r.Fields {
		if f.Name == name {
			r.Fields[i].Value = value
		}
	}
}

// seat has three accounts govern. Lists of members are sorted (Substrate, frame/
// membership/src/lib.rs). Who votes in the senate does so through a hotkey of its
// own: here each is its own.
func (d *drafts) seat() {
	all := Accounts()
	d.set("Sudo", "Key", all[0].Account)
	members := []tao.Account{all[0].Account, all[1].Account, all[2].Account}
	slices.SortFunc(members, func(a, b tao.Account) int { return bytes.Compare(a[:], b[:]) })
	for _, pallet := range []string{"Triumvirate", "TriumvirateMembers", "SenateMembers"} {
		d.set(pallet, "Members", members)
	}
	for _, a := range members {
		d.set(subtensor, "Owner", a, a)
		d.set(subtensor, "OwnedHotkeys", []tao.Account{a}, a)
	}
}

// openSubnet opens a subnet, and makes it where there is none. A least and a most
// that are the same hold a value where it is.
func (d *drafts) openSubnet() {
	var there bool
	if d.get(&there, subtensor, "NetworksAdded", OpenNetUID) && !there {
		var total uint16
		d.get(&total, subtensor, "TotalNetworks")
		d.set(subtensor, "NetworksAdded", true, OpenNetUID)
		d.set(subtensor, "TotalNetworks", total+1)
		d.set(subtensor, "MaxAllowedUids", uint16(256), OpenNetUID)
	}
	for name, value := range map[string]any{
		"NetworkRegistrationAllowed": true, "NetworkPowRegistrationAllowed": true,
		"Difficulty": uint64(OpenPuzzle), "MinDifficulty": uint64(OpenPuzzle), "MaxDifficulty": uint64(OpenPuzzle),
		"Burn": OpenBurn, "MinBurn": OpenBurn, "MaxBurn": OpenBurn,
		"FirstEmissionBlockNumber": uint64(1), "SubnetTAO": OpenPool, "SubnetAlphaIn": OpenPool,
	} {
		d.set(subtensor, name, value, OpenNetUID)
	}
	for _, n := range []tao.NetUID{0, OpenNetUID} {
		d.set(subtensor, "MaxRegistrationsPerBlock", uint16(OpenRate), n)
		d.set(subtensor, "TargetRegistrationsPerInterval", uint16(OpenRate), n)
		d.set(subtensor, "SubtokenEnabled", true, n) // else there is no stake before its owner's start_call
	}
}
