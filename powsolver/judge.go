package powsolver

import (
	"context"
	"fmt"
	"sync/atomic"
)

// Judge holds a worker of any make against the definition of the seals: of a few
// thousand positions, chosen anew each time, it has to find the only one that meets
// a puzzle, and none where none does; so for every kind and order. The error wraps
// [ErrDisagrees], or is the worker's own.
func Judge(ctx context.Context, w Worker) error {
	p := Puzzle{Difficulty: 1000, NetUID: 0x0201}
	for i := range 32 {
		p.Block[i], p.Hotkey[i], p.Coldkey[i] = byte(7*i+1), byte(11*i+2), byte(13*i+3)
	}
	for _, f := range forms() {
		p.Kind, p.Order = f.Kind, f.Order
		if err := judge(ctx, w, p, randomStart()+uint64(f.Kind)); err != nil {
			return err
		}
	}
	return nil
}

func judge(ctx context.Context, w Worker, p Puzzle, from uint64) error {
	only := from
	for !p.Meets(p.Seal(p.Nonce(only))) {
		only++
	}
	var tried atomic.Uint64
	nonce, found, err := w.Search(ctx, p, from, only-from+1, &tried)
	if err != nil {
		return err
	}
	if !found || nonce != p.Nonce(only) {
		return fmt.Errorf("%s misses nonce %#x, %s seal, compared %s: %w", w.Name(), p.Nonce(only), p.Kind, p.Order, ErrDisagrees)
	}
	nonce, found, err = w.Search(ctx, p, from, only-from, &tried)
	if err == nil && found {
		return fmt.Errorf("%s takes nonce %#x wrongly, %s seal, compared %s: %w", w.Name(), nonce, p.Kind, p.Order, ErrDisagrees)
	}
	return err
}
