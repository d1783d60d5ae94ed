package register

import (
	"fmt"

	"github.com/taoctl/taoctl/tao"
)

// UnknownSubnetError says that a subnet does not exist, or takes no
// registration of this kind because it is the root.
type UnknownSubnetError struct{ NetUID tao.NetUID }

func (e *UnknownSubnetError) Error() string {
	if e.NetUID == 0 {
		return "subnet 0 is the root, which takes neither burn nor work"
	}
	return fmt.Sprintf("there is no subnet %d", e.NetUID)
}

// RegisteredError says that a hotkey is in the subnet already.
type RegisteredError struct {
	Hotkey tao.Account
	NetUID tao.NetUID
	UID    uint16
}

func (e *RegisteredError) Error() string {
	return fmt.Sprintf("hotkey %s is registered on subnet %d already, with uid %d", e.Hotkey, e.NetUID, e.UID)
}

// ClosedError says that a subnet takes no registration of this kind now.
type ClosedError struct {
	NetUID  tao.NetUID
	Reason  string // "its owner has switched registration off"
	ForGood bool   // the runtime itself takes none: to wait is of no use
}

func (e *ClosedError) Error() string {
	return fmt.Sprintf("subnet %d takes no such registration: %s", e.NetUID, e.Reason)
}

// IntervalError says that a subnet has had all registrations of its interval.
type IntervalError struct {
	NetUID tao.NetUID
	Taken  uint16
	Until  uint64 // the block at which the next interval begins
}

func (e *IntervalError) Error() string {
	return fmt.Sprintf("subnet %d has had all %d registrations of this interval; the next begins at block %d", e.NetUID, e.Taken, e.Until)
}

// NotOwnerError says that another coldkey owns the hotkey.
type NotOwnerError struct{ Hotkey, Coldkey, Owner tao.Account }

func (e *NotOwnerError) Error() string {
	return fmt.Sprintf("hotkey %s belongs to coldkey %s, not to %s", e.Hotkey, e.Owner, e.Coldkey)
}

// PriceError says that the burn is dearer than what was agreed to.
type PriceError struct {
	NetUID tao.NetUID
	Price  tao.Amount // now
	Max    tao.Amount // agreed
}

func (e *PriceError) Error() string {
	return fmt.Sprintf("registration on subnet %d costs %s TAO, more than the %s agreed to", e.NetUID, e.Price, e.Max)
}

// NoWorkError says that a runtime takes no proof of work, or that nobody can
// say in which form.
type NoWorkError struct {
	Spec   uint32
	Reason string

	// Burns says that the call for work would burn TAO. Price is what it would
	// burn now, where that was read.
	Burns  bool
	NetUID tao.NetUID
	Price  *tao.Amount
}

func (e *NoWorkError) Error() string {
	text := fmt.Sprintf("runtime %d takes no proof of work: %s", e.Spec, e.Reason)
	if e.Price != nil {
		text += fmt.Sprintf(" (%s TAO on subnet %d now); nothing was sent", *e.Price, e.NetUID)
	}
	return text
}

// StaleError says that work is of no use by now: too old, or on a block that is
// no longer in the chain.
type StaleError struct {
	Work   uint32 // the block that it was done for
	Head   uint32
	Reason string
}

func (e *StaleError) Error() string {
	return fmt.Sprintf("work on block %d is of no use at block %d: %s", e.Work, e.Head, e.Reason)
}

// WrongWorkError says that a solution does not hold, as checked here before
// anything is sent. The difficulty may have risen since.
type WrongWorkError struct {
	Nonce      uint64
	Difficulty uint64
}

func (e *WrongWorkError) Error() string {
	return fmt.Sprintf("nonce %d does not meet difficulty %d of this registration", e.Nonce, e.Difficulty)
}

// FaucetError says that a runtime has no faucet.
type FaucetError struct{ Spec uint32 }

func (e *FaucetError) Error() string {
	return fmt.Sprintf("runtime %d has no faucet: only local chains that are built with one give away TAO", e.Spec)
}

// HeadsError says that a node stopped telling of new blocks, so that work would
// go stale unnoticed.
type HeadsError struct{ Err error }

func (e *HeadsError) Error() string {
	return fmt.Sprintf("the node stopped telling of new blocks: %v", e.Err)
}

func (e *HeadsError) Unwrap() error { return e.Err }
