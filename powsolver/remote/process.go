package remote

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Program is taoctl-opencl, and how it is started and waited for.
type Program struct {
	Path string
	Env  []string // all that it sees of the environment: see [Environment]

	// How long to wait before the program counts as hung; 0 is what suits real
	// drivers. Listing starts every driver, opening may compile for the first time.
	ListWithin time.Duration // for the list of devices; 0: 20 s
	OpenWithin time.Duration // for a device to be ready; 0: 60 s
	Silence    time.Duration // between two replies of a search; 0: 5 s
}

// What a program is dropped for. Errors of this package wrap one of them, or the
// context's.
var (
	ErrEnded   = errors.New("it ended by itself")
	ErrSilent  = errors.New("it hangs")
	ErrTalk    = errors.New("it does not keep to the protocol")
	ErrFlood   = errors.New("it says too much")
	ErrFailed  = errors.New("it reports a failure")
	errDropped = errors.New("it was ended")
)

// How many lines the program may say: so many at once, so many more a second, and
// some for each request. A working one says about fifty a second.
const (
	floodAtOnce     = 2000
	floodPerSecond  = 1000
	floodPerRequest = 4
)

// process is a program that runs. Whatever ends it is its context's cause.
type process struct {
	ctx     context.Context // ends with the process, or a little before
	cancel  context.CancelCauseFunc
	send    chan []byte
	replies chan reply
	asked   atomic.Uint64 // requests
	gone    chan struct{} // closed when the system has taken the process away
}

// start runs the program until the context ends, or drop.
func (p Program) start(ctx context.Context) (*process, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	c := exec.CommandContext(ctx, p.Path)
	c.Env = append([]string{"GOTRACEBACK=none"}, p.Env...) // if a driver crashes, what is said should be why
	c.Dir = filepath.Dir(p.Path)
	c.WaitDelay = time.Second // what it started may hold its output open
	run := &process{ctx: ctx, cancel: cancel, send: make(chan []byte, 16), replies: make(chan reply), gone: make(chan struct{})}
	said := new(complaints)
	c.Stdout = &lines{ctx: ctx, drop: cancel, to: run.replies, asked: &run.asked, began: time.Now()}
	c.Stderr = said
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		cancel(nil)
		return nil, fmt.Errorf("start %s: %w", p.Path, err)
	}
	go func() {
		for {
			select {
			case line := <-run.send:
				if _, err := in.Write(line); err != nil {
					return // it has ended, or soon will
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	go func() {
		err := c.Wait()
		cancel(ended(err, said.String()))
		close(run.gone)
	}()
	return run, nil
}

// ended is the error of a process that nobody ended.
func ended(err error, said string) error {
	how := "exit status 0"
	if err != nil {
		how = err.Error()
	}
	if said != "" {
		how += "; it said " + said
	}
	return fmt.Errorf("%w: %s", ErrEnded, how)
}

// drop kills the process, for a reason, and returns what it was ended for first.
func (r *process) drop(reason error) error {
	r.cancel(reason)
	return context.Cause(r.ctx)
}

// end kills the process and waits until it is gone. A process that hangs in a driver of the
// system's kernel cannot be killed: nobody waits for that one.
func (r *process) end() {
	const enough = 2 * time.Second
	r.cancel(errDropped)
	late := time.NewTimer(enough)
	defer late.Stop()
	select {
	case <-r.gone:
	case <-late.C:
	}
}

// ask sends a request. A program that leaves that many unread hangs.
func (r *process) ask(q request) error {
	line, err := json.Marshal(q)
	if err != nil {
		return fmt.Errorf("write a request: %w", err)
	}
	r.asked.Add(1)
	select {
	case r.send <- append(line, '\n'):
		return nil
	default:
		return fmt.Errorf("%w: it reads no requests", ErrSilent)
	}
}

// answer asks, and waits for the answer.
func (r *process) answer(ctx context.Context, q request, within time.Duration) (reply, error) {
	if err := r.ask(q); err != nil {
		return reply{}, r.drop(err)
	}
	limit := time.NewTimer(within)
	defer limit.Stop()
	select {
	case got := <-r.replies:
		switch {
		case got.Event == eventFailed:
			return reply{}, r.drop(fmt.Errorf("%w: %s", ErrFailed, got.Message))
		case got.ID != q.ID || got.Event != map[string]string{opDevices: eventDevices, opOpen: eventReady}[q.Op]:
			return reply{}, r.drop(fmt.Errorf("%w: %q is no answer to %q", ErrTalk, got.Event, q.Op))
		}
		return got, nil
	case <-r.ctx.Done():
		return reply{}, context.Cause(r.ctx)
	case <-ctx.Done():
		return reply{}, r.drop(context.Cause(ctx))
	case <-limit.C:
		return reply{}, r.drop(fmt.Errorf("%w: no answer to %q within %v", ErrSilent, q.Op, within))
	}
}

// lines turns what the program writes into replies, and drops it if they make no
// sense or are too many.
type lines struct {
	ctx   context.Context // the process's: whoever would read them is gone when it ends
	drop  context.CancelCauseFunc
	to    chan<- reply
	asked *atomic.Uint64
	began time.Time
	count uint64
	part  []byte // of a line that has not ended
}

func (l *lines) Write(b []byte) (int, error) {
	written := len(b)
	for {
		line, rest, whole := bytes.Cut(b, []byte{'\n'})
		l.part = append(l.part, line...)
		if len(l.part) > maxLine {
			return 0, l.refuse(fmt.Errorf("%w: %w", ErrTalk, lineError(l.part, "a line of more than %d bytes", maxLine)))
		}
		if !whole {
			return written, nil
		}
		if err := l.line(l.part); err != nil {
			return 0, err
		}
		l.part, b = l.part[:0], rest
	}
}

func (l *lines) line(b []byte) error {
	most := floodAtOnce + floodPerSecond*uint64(time.Since(l.began)/time.Second) + floodPerRequest*l.asked.Load()
	if l.count++; l.count > most {
		return l.refuse(fmt.Errorf("%w: %d lines", ErrFlood, l.count))
	}
	r, err := decodeReply(b)
	if err != nil {
		return l.refuse(fmt.Errorf("%w: %w", ErrTalk, err))
	}
	select {
	case l.to <- r:
		return nil
	case <-l.ctx.Done():
		return l.ctx.Err()
	}
}

func (l *lines) refuse(err error) error {
	l.drop(err)
	return err
}

// complaints keeps the beginning and the end of what the program says to people: a
// crash says first what it is, and a list of registers last; a program that gives up
// says why at the end.
type complaints struct {
	mu    sync.Mutex
	first []byte
	last  []byte // of what came behind first
	more  int    // bytes that are in neither
}

func (c *complaints) Write(b []byte) (int, error) {
	const most = 200
	c.mu.Lock()
	defer c.mu.Unlock()
	n := min(len(b), most-len(c.first))
	c.first = append(c.first, b[:n]...)
	rest := b[n:]
	c.more += max(0, len(c.last)+len(rest)-most)
	c.last = append(c.last, rest[max(0, len(rest)-most):]...)
	c.last = c.last[max(0, len(c.last)-most):]
	return len(b), nil
}

// String is all of it on one line.
func (c *complaints) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	between := ""
	if c.more > 0 {
		between = " … "
	}
	return strings.Join(strings.Fields(string(c.first)+between+string(c.last)), " ")
}

// Devices asks the program what there is to compute with. note says what the
// program could not look at, in its own words.
func (p Program) Devices(ctx context.Context) (list []Device, note string, err error) {
	run, err := p.start(ctx)
	if err != nil {
		return nil, "", err
	}
	got, err := run.answer(ctx, request{ID: 1, Op: opDevices}, cmp.Or(p.ListWithin, 20*time.Second))
	if err != nil {
		return nil, "", fmt.Errorf("ask %s for devices: %w", p.Path, err)
	}
	run.end()
	return got.Devices, got.Message, nil
}
