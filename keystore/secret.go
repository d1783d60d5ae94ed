package keystore

import "sync"

// sealed keeps a value where no printer finds it: printers walk fields by
// reflection, and a closure has none. It is safe for several goroutines, and
// once cleared it stays cleared.
type sealed[T any] struct {
	borrow func(use func(T) error) error
	clear  func()
}

// seal takes over v: the caller keeps no copy of it. Erase overwrites it.
func seal[T any](v T, erase func(T)) sealed[T] {
	var mu sync.Mutex
	wiped := false
	return sealed[T]{
		borrow: func(use func(T) error) error {
			mu.Lock()
			defer mu.Unlock()
			if wiped {
				return ErrWiped
			}
			return use(v)
		},
		clear: func() {
			mu.Lock()
			defer mu.Unlock()
			wiped = true
			erase(v)
		},
	}
}

func sealBytes(b []byte) sealed[[]byte] { return seal(b, func(b []byte) { clear(b) }) }

// wipe overwrites secrets. Go may have copied them on the way, so this narrows
// the time in which a memory dump shows them; it is no proof.
func wipe(bs ...[]byte) {
	for _, b := range bs {
		clear(b)
	}
}
