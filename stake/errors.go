package stake

import (
	"fmt"

	"github.com/taoctl/taoctl/tao"
)

// HotkeyError says that stake cannot go to an account.
type HotkeyError struct {
	Hotkey tao.Account
	Reason string // "is a coldkey", "was never registered"
}

func (e *HotkeyError) Error() string { return fmt.Sprintf("hotkey %s %s", e.Hotkey, e.Reason) }

// ClosedError says that a subnet does not take what was asked of it.
type ClosedError struct {
	NetUID tao.NetUID
	Reason string // "has not been started by its owner: it takes no stake yet"
}

func (e *ClosedError) Error() string { return fmt.Sprintf("subnet %d %s", e.NetUID, e.Reason) }

// BelowMinimumError says that an amount, or what it would bring, is below what
// the chain accepts.
type BelowMinimumError struct {
	What  string     // "the amount", "what it sells for"
	TAO   tao.Amount // its worth
	Least tao.Amount
}

func (e *BelowMinimumError) Error() string {
	return fmt.Sprintf("%s is %s TAO, the chain takes no less than %s TAO", e.What, e.TAO, e.Least)
}

// NotStakedError says that there is less stake than is asked back.
type NotStakedError struct {
	Hotkey tao.Account
	NetUID tao.NetUID
	Wanted tao.Alpha // zero: all of it
	Staked tao.Alpha
	Locked tao.Alpha // the part of Staked that may not leave
}

func (e *NotStakedError) Error() string {
	switch {
	case e.Locked > 0:
		return fmt.Sprintf("%s alpha of the stake in subnet %d are locked, which leaves less than the %s asked for", e.Locked, e.NetUID, e.Wanted)
	case e.Staked == 0:
		return fmt.Sprintf("nothing is staked on hotkey %s in subnet %d", e.Hotkey, e.NetUID)
	}
	return fmt.Sprintf("%s alpha are staked on hotkey %s in subnet %d, not %s", e.Staked, e.Hotkey, e.NetUID, e.Wanted)
}

// PriceError says that the trade would go past the price that was agreed to.
type PriceError struct {
	NetUID tao.NetUID
	Price  tao.Amount // now
	Limit  tao.Amount // agreed
	After  tao.Amount // that the trade would leave
	Most   string     // the largest amount that fits, with its unit
}

func (e *PriceError) Error() string {
	return fmt.Sprintf("the trade would move the price of subnet %d from %s to %s TAO, past the limit of %s; about %s would fit", e.NetUID, e.Price, e.After, e.Limit, e.Most)
}

// NoLimitError says that the runtime has no call that carries a price limit for
// what was asked, so that any price could be paid.
type NoLimitError struct {
	What    string // "moving stake to another hotkey and subnet"
	Instead string // a way that is bounded, if there is one
}

func (e *NoLimitError) Error() string {
	return fmt.Sprintf("this runtime knows no price limit for %s: any price could be paid", e.What)
}

// TakeError says that a take is not possible.
type TakeError struct {
	Take, Now, Least, Most Take
	Reason                 string
}

func (e *TakeError) Error() string {
	return fmt.Sprintf("a take of %s %s: it is %s now, and may be from %s to %s", e.Take, e.Reason, e.Now, e.Least, e.Most)
}

// RateLimitError says that it is too early for another such call.
type RateLimitError struct {
	What  string // "raising the take"
	Until uint64 // the first block that takes it
	Block uint32 // now
}

func (e *RateLimitError) Error() string {
	return fmt.Sprintf("%s is possible again at block %d, in %d blocks", e.What, e.Until, e.Until-uint64(e.Block))
}

// NotOwnerError says that a coldkey does not own the hotkey that it would act
// for.
type NotOwnerError struct{ Coldkey, Hotkey, Owner tao.Account }

func (e *NotOwnerError) Error() string {
	if e.Owner == (tao.Account{}) {
		return fmt.Sprintf("nobody has registered hotkey %s", e.Hotkey)
	}
	return fmt.Sprintf("hotkey %s belongs to %s, not to %s", e.Hotkey, e.Owner, e.Coldkey)
}
