package remote

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/taoctl/taoctl/powsolver"
)

// Worker searches in a process of its own. It is a powsolver.Worker.
type Worker struct {
	device  Device
	process *process
	silence time.Duration

	id    uint64    // of the last request
	owed  uint64    // how many searches have not been answered to their end
	since time.Time // when the device last got on, while some are owed
}

// Open starts a process for a device and makes sure that it computes what it
// should (powsolver.Judge). The process lives until Close, or until ctx ends. Errors do
// not name the device: whoever asked for it knows.
func (p Program) Open(ctx context.Context, d Device) (*Worker, error) {
	run, err := p.start(ctx)
	if err != nil {
		return nil, err
	}
	w := &Worker{device: d, process: run, id: 1, silence: cmp.Or(p.Silence, 5*time.Second)}
	q := request{ID: w.id, Op: opOpen, Device: d.Index, Name: d.Name}
	if _, err := run.answer(ctx, q, cmp.Or(p.OpenWithin, time.Minute)); err != nil {
		return nil, fmt.Errorf("it did not open: %w", err)
	}
	if err := powsolver.Judge(ctx, w); err != nil {
		return nil, fmt.Errorf("it did not pass the check: %w", run.drop(err))
	}
	return w, nil
}

// Name is the device's.
func (w *Worker) Name() string { return w.device.Label() }

// Device is what the worker computes with.
func (w *Worker) Device() Device { return w.device }

// Close ends the process and waits until it is gone.
func (w *Worker) Close() { w.process.end() }

// Search is described at powsolver.Worker. A device may take until its launch is
// over to stop, but Search does not wait for it: what is left over is thrown away
// when the next search begins.
func (w *Worker) Search(ctx context.Context, p powsolver.Puzzle, from, count uint64, tried *atomic.Uint64) (uint64, bool, error) {
	if err := p.Check(); err != nil {
		return 0, false, err
	}
	w.id++
	s := search{worker: w, id: w.id, puzzle: p, from: from, count: count, tried: tried}
	if err := w.ask(request{ID: w.id, Op: opSearch, Puzzle: wirePuzzle(p), From: from, Count: count}); err != nil {
		return 0, false, w.process.drop(err)
	}
	for {
		r, err := w.next(ctx)
		if err != nil && ctx.Err() != nil {
			w.id++
			if err := w.process.ask(request{ID: w.id, Op: opStop}); err != nil {
				return 0, false, w.process.drop(err)
			}
			return 0, false, ctx.Err()
		}
		if err == nil {
			err = s.take(r)
		}
		if err != nil {
			return 0, false, w.process.drop(err)
		}
		if s.over {
			return s.nonce, s.found, nil
		}
	}
}

// ask begins a search.
func (w *Worker) ask(q request) error {
	if w.owed++; w.owed == 1 {
		w.since = time.Now()
	}
	return w.process.ask(q)
}

// next is the next reply. Waiting counts on from one search to the next, so that a
// device is found to hang even if no search waits long.
func (w *Worker) next(ctx context.Context) (reply, error) {
	limit := time.NewTimer(w.silence - time.Since(w.since))
	defer limit.Stop()
	for {
		select {
		case r := <-w.process.replies:
			return r, nil
		case <-w.process.ctx.Done():
			return reply{}, context.Cause(w.process.ctx)
		case <-ctx.Done():
			return reply{}, ctx.Err()
		case <-limit.C:
		}
		select { // nobody may have listened for a while
		case r := <-w.process.replies:
			return r, nil
		default:
			return reply{}, fmt.Errorf("%w: it got no further for %v", ErrSilent, w.silence)
		}
	}
}

// moved notes that the device does something: seals were computed, or a search has
// come to its end.
func (w *Worker) moved(end bool) {
	w.since = time.Now()
	if end && w.owed > 0 {
		w.owed--
	}
}

// search is one search, and what was heard of it.
type search struct {
	worker *Worker
	id     uint64
	puzzle powsolver.Puzzle
	from   uint64
	count  uint64
	tried  *atomic.Uint64

	told  uint64 // the seals it says it tried
	over  bool
	found bool
	nonce uint64
}

// take believes a reply as far as it can be checked.
func (s *search) take(r reply) error {
	switch {
	case r.ID > s.id || r.Event == eventDevices || r.Event == eventReady:
		return fmt.Errorf("%w: %q, which was not asked for", ErrTalk, r.Event)
	case r.ID < s.id: // a search that was given up
		if r.last() {
			s.worker.moved(true)
		}
		return nil
	case r.Event == eventFailed:
		return fmt.Errorf("%w: %s", ErrFailed, r.Message)
	case r.Tried < s.told || r.Tried > s.count:
		return fmt.Errorf("%w: it claims %d seals after %d, of %d", ErrTalk, r.Tried, s.told, s.count)
	}
	if s.over = r.last(); s.over || r.Tried > s.told {
		s.worker.moved(s.over)
	}
	s.tried.Add(r.Tried - s.told)
	s.told = r.Tried
	switch r.Event {
	case eventStopped:
		return fmt.Errorf("%w: it stopped, which was not asked for", ErrTalk)
	case eventDone:
		if r.Tried != s.count {
			return fmt.Errorf("%w: it is done with %d of %d seals", ErrTalk, r.Tried, s.count)
		}
	case eventFound:
		s.nonce, s.found = r.Nonce, true
		return s.verify()
	}
	return nil
}

// verify computes the seal anew: no nonce of a device is believed.
func (s *search) verify() error {
	if past := s.puzzle.Position(s.nonce) - s.from; past >= s.count {
		return fmt.Errorf("nonce %#x is none of those that it was given: %w", s.nonce, powsolver.ErrDisagrees)
	}
	if _, meets := powsolver.Verify(s.puzzle, s.nonce); !meets {
		return fmt.Errorf("nonce %#x does not meet the difficulty: %w", s.nonce, powsolver.ErrDisagrees)
	}
	return nil
}
