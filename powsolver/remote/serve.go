package remote

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"github.com/taoctl/taoctl/powsolver"
)

// Host is what a program that serves can do.
type Host struct {
	// Devices lists what there is. Errors beside the list are told, and hide nothing.
	Devices func() ([]Device, error)

	// Open makes a worker of the device at an index of that list, checked.
	Open func(index int) (powsolver.Worker, error)
}

// progressEvery is how often a search tells how far it is, if it got further.
const progressEvery = 20 * time.Millisecond

// Serve answers the requests that stand on in, until it ends or the context does,
// which stops the search that is going on. It does not wait for a driver that
// hangs: then the process should end. The error is that of a request that makes no
// sense, or of writing.
func Serve(ctx context.Context, in io.Reader, out io.Writer, h Host) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s := &server{host: h, out: json.NewEncoder(out), stop: func() {}, stopped: closed()}
	requests := make(chan request)
	go func() { cancel(read(ctx, in, requests)) }()
	for {
		select {
		case r := <-requests:
			if err := s.handle(ctx, r); err != nil {
				return err
			}
		case <-ctx.Done():
			if err := context.Cause(ctx); !errors.Is(err, io.EOF) {
				return err
			}
			return nil
		}
	}
}

func closed() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}

// read passes requests on. It ends with io.EOF when the input does.
func read(ctx context.Context, in io.Reader, to chan<- request) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxLine+1)
	for lines.Scan() {
		r, err := decodeRequest(lines.Bytes())
		if err != nil {
			return err
		}
		select {
		case to <- r:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read a request: %w", err)
	}
	return io.EOF
}

type server struct {
	host    Host
	worker  powsolver.Worker
	stop    context.CancelFunc // of the search that is going on
	stopped chan struct{}      // closed when it has ended

	writing sync.Mutex
	out     *json.Encoder
}

// handle answers a request. Whatever a driver does happens beside it, so that the
// end of the context is noticed while a driver hangs.
func (s *server) handle(ctx context.Context, r request) error {
	s.stop()
	if !before(ctx, s.stopped) {
		return nil // Serve sees that it is over
	}
	switch r.Op {
	case opDevices:
		return s.answer(ctx, s.devices, r.ID)
	case opOpen:
		return s.answer(ctx, func() reply { return s.open(r) }, r.ID)
	case opSearch:
		return s.start(ctx, r)
	}
	return nil
}

// before waits until something is done, and reports false if the context ended first.
func before(ctx context.Context, done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	case <-ctx.Done():
		return false
	}
}

func (s *server) answer(ctx context.Context, work func() reply, id uint64) error {
	done := make(chan struct{})
	var r reply
	go func() {
		defer close(done)
		r = work()
	}()
	if !before(ctx, done) {
		return nil // as above
	}
	r.ID = id
	return s.write(r)
}

func (s *server) write(r reply) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.out.Encode(r); err != nil {
		return fmt.Errorf("write a reply: %w", err)
	}
	return nil
}

func failure(err error) reply {
	const most = 4096 // a compiler may have much to say
	message := err.Error()
	return reply{Event: eventFailed, Message: message[:min(len(message), most)]}
}

func (s *server) devices() reply {
	list, err := s.host.Devices()
	r := reply{Event: eventDevices, Protocol: Protocol, Devices: list}
	if err != nil {
		r.Message = failure(err).Message
	}
	return r
}

func (s *server) open(r request) reply {
	list, err := s.host.Devices()
	switch {
	case r.Device < 0 || r.Device >= len(list):
		if err != nil {
			return failure(fmt.Errorf("there is no device %d: %w", r.Device, err))
		}
		return failure(fmt.Errorf("there is no device %d", r.Device))
	case list[r.Device].Name != r.Name:
		return failure(fmt.Errorf("device %d is %q now, no longer %q", r.Device, list[r.Device].Name, r.Name))
	}
	if s.worker, err = s.host.Open(r.Device); err != nil {
		return failure(err)
	}
	return reply{Event: eventReady, Protocol: Protocol}
}

// start begins a search, which tells of itself.
func (s *server) start(ctx context.Context, r request) error {
	if s.worker == nil {
		return s.write(reply{ID: r.ID, Event: eventFailed, Message: "no device is open"})
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.stopped = make(chan struct{})
	go func(done chan struct{}) {
		defer close(done)
		last := s.search(ctx, r)
		last.ID = r.ID
		_ = s.write(last) // whoever does not hear it has gone, and the input ends
	}(s.stopped)
	return nil
}

func (s *server) search(ctx context.Context, r request) reply {
	var tried atomic.Uint64
	result := make(chan reply, 1)
	go func() {
		nonce, found, err := s.worker.Search(ctx, r.Puzzle.plain(), r.From, r.Count, &tried)
		switch {
		case found:
			result <- reply{Event: eventFound, Nonce: nonce}
		case err == nil:
			result <- reply{Event: eventDone}
		case ctx.Err() != nil:
			result <- reply{Event: eventStopped}
		default:
			result <- failure(err)
		}
	}()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for told := uint64(0); ; {
		select {
		case last := <-result:
			last.Tried = tried.Load()
			return last
		case <-tick.C:
			if now := tried.Load(); now > told {
				told = now
				_ = s.write(reply{ID: r.ID, Event: eventProgress, Tried: now}) // as above
			}
		}
	}
}
