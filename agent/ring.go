package agent

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

const (
	// MaxTime is the longest time for which an agent holds a key.
	MaxTime = 30 * 24 * time.Hour

	// maxKeys keeps the list of keys within one frame.
	maxKeys = 256
)

// ring is the keys at hand, each with the moment at which it is forgotten.
// Using a key does not lengthen its time.
type ring struct {
	now func() time.Time

	mu   sync.Mutex
	keys map[tao.Account]heldKey
}

type heldKey struct {
	*keystore.Key
	until time.Time
}

// over reports that a key's time is over. Where now has a monotonic reading,
// either clock ends it: the monotonic one stands still while a machine sleeps,
// and the other can be set back.
func (k heldKey) over(now time.Time) bool {
	return !now.Before(k.until) || !now.Round(0).Before(k.until.Round(0))
}

func newRing(now func() time.Time) *ring {
	return &ring{now: now, keys: map[tao.Account]heldKey{}}
}

// add takes over a key. One that is held already stays, because somebody may be
// signing with it, and gets the new time.
func (r *ring) add(key *keystore.Key, d time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropOver()
	account := key.Account()
	old, held := r.keys[account]
	switch {
	case d <= 0 || d > MaxTime:
		key.Wipe()
		return fmt.Errorf("a key is held for at least a second and at most %v, not for %v", MaxTime, d)
	case !held && len(r.keys) == maxKeys:
		key.Wipe()
		return fmt.Errorf("%d keys are held already", maxKeys)
	case held && old.Key != key:
		key.Wipe()
		key = old.Key
	}
	r.keys[account] = heldKey{key, r.now().Add(d)}
	return nil
}

// find returns the key of an account, or nil. It may be wiped at any time.
func (r *ring) find(account tao.Account) *keystore.Key {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropOver()
	return r.keys[account].Key
}

func (r *ring) list() []Held {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropOver()
	now := r.now()
	list := []Held{}
	for account, k := range r.keys {
		left := k.until.Sub(now) + time.Second - 1
		list = append(list, Held{Account: account, Scheme: k.Scheme(), Left: int64(left / time.Second), Until: k.until.Round(0).UTC()})
	}
	slices.SortFunc(list, func(a, b Held) int { return cmp.Compare(a.Account.String(), b.Account.String()) })
	return list
}

// sweep wipes the keys whose time is over.
func (r *ring) sweep() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropOver()
}

func (r *ring) dropOver() {
	now := r.now()
	for account, k := range r.keys {
		if k.over(now) {
			k.Wipe()
			delete(r.keys, account)
		}
	}
}

// wipe forgets all keys.
func (r *ring) wipe() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for account, k := range r.keys {
		k.Wipe()
		delete(r.keys, account)
	}
}
