package agent

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

const (
	// maxPeers are served at once. Others wait until the system refuses them.
	maxPeers = 64

	// patience is how long a peer may take for its request and its answer.
	patience = 5 * time.Second

	// sweepEvery bounds how long a key stays in memory after its time. It is
	// refused at once.
	sweepEvery = time.Second
)

// Server is an agent. Listen makes it and Serve runs it; Close, which Serve
// calls, wipes its keys.
type Server struct {
	path     string
	ring     *ring
	lock     *flock.Flock
	listener *net.UnixListener
	patience time.Duration
}

// Listen opens the socket at path, with its folder where that is missing. Now
// is the clock by which keys are forgotten. What a crashed agent has left is
// replaced; a *RunningError says that one is alive, a *FolderError that others
// can reach the folder, ErrUnsupported that this system is not served.
func Listen(path string, now func() time.Time) (*Server, error) {
	listener, lock, err := listen(path)
	if err != nil {
		return nil, err
	}
	return &Server{path: path, ring: newRing(now), lock: lock, listener: listener, patience: patience}, nil
}

// Path is where the socket is.
func (s *Server) Path() string { return s.path }

// Hold takes over a key for a time, of at most [MaxTime].
func (s *Server) Hold(key *keystore.Key, d time.Duration) error { return s.ring.add(key, d) }

// Keys lists the keys that are held.
func (s *Server) Keys() []Held { return s.ring.list() }

// Close wipes the keys and removes the socket. A Serve that is under way ends
// with its context.
func (s *Server) Close() error {
	s.ring.wipe()
	err := s.listener.Close() // removes the socket
	if errors.Is(err, net.ErrClosed) {
		err = nil
	}
	return errors.Join(err, s.lock.Unlock())
}

// Serve answers until ctx ends or a client stops it, and closes s. Neither is
// an error.
func (s *Server) Serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	var peers sync.WaitGroup
	peers.Go(func() { s.sweep(ctx) })
	// What ends the loop below is the closed listener, and the keys must not
	// wait for the last slow peer.
	ended := context.AfterFunc(ctx, func() { s.ring.wipe(); s.listener.Close() })
	s.accept(ctx, &peers, stop)
	stop()
	ended()
	s.ring.wipe()
	peers.Wait()
	return s.Close() // which wipes what a late peer has added
}

func (s *Server) accept(ctx context.Context, peers *sync.WaitGroup, stop func()) {
	free := make(chan struct{}, maxPeers)
	for {
		select {
		case free <- struct{}{}:
		case <-ctx.Done():
			return
		}
		conn, err := s.listener.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				conn.Close()
			}
			return
		case errors.Is(err, net.ErrClosed): // a client stopped us, and is being told
			<-ctx.Done()
			return
		case err != nil: // the system is short of something: wait, and hold the keys
			<-free
			wait(ctx, sweepEvery)
			continue
		}
		peers.Go(func() {
			defer func() { <-free }()
			s.attend(ctx, conn, stop)
		})
	}
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

func (s *Server) sweep(ctx context.Context) {
	t := time.NewTicker(sweepEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			s.ring.sweep()
		case <-ctx.Done():
			return
		}
	}
}

// attend serves one connection. A peer that is another user gets no answer; so
// does one that sends no request in time, or says nothing sensible.
func (s *Server) attend(ctx context.Context, conn *net.UnixConn, stop func()) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if checkPeer(conn) != nil || conn.SetDeadline(time.Now().Add(s.patience)) != nil {
		return
	}
	q, body, err := readRequest(conn)
	defer clear(body)
	if err != nil {
		// A peer that has gone away does not hear it, and nothing is lost.
		_ = writeFrame(conn, answer{Refused: refusedOther, Reason: err.Error()}, nil)
		return
	}
	a, signature := s.do(ctx, q, body)
	if q.Op == opStop {
		_ = s.Close() // before the answer, so that the place is free when it is heard
	}
	_ = writeFrame(conn, a, signature)
	if q.Op == opStop {
		stop()
	}
}

func (s *Server) do(ctx context.Context, q request, body []byte) (answer, []byte) {
	switch q.Op {
	case opAdd:
		return s.add(q, body), nil
	case opSign:
		return s.sign(ctx, q.Account, body)
	case opLock, opStop:
		keys := s.ring.list()
		s.ring.wipe()
		return answer{Keys: keys}, nil
	}
	return answer{Keys: s.ring.list()}, nil
}

func (s *Server) add(q request, private []byte) answer {
	if q.Seconds <= 0 || q.Seconds > int64(MaxTime/time.Second) {
		return refuse("a key is held for 1 to " + MaxTime.String())
	}
	key, err := keystore.FromPrivate(private, q.Scheme)
	if err != nil {
		return refuse("the key is malformed")
	}
	if key.Account() != q.Account {
		key.Wipe()
		return refuse("the key is not that of " + q.Account.String())
	}
	if err := s.ring.add(key, time.Duration(q.Seconds)*time.Second); err != nil {
		return refuse(err.Error())
	}
	return answer{}
}

func (s *Server) sign(ctx context.Context, account tao.Account, message []byte) (answer, []byte) {
	key := s.ring.find(account)
	if key == nil {
		return answer{Refused: refusedNotHeld}, nil
	}
	sig, err := key.Sign(ctx, message)
	switch {
	case errors.Is(err, keystore.ErrWiped): // its time ended meanwhile
		return answer{Refused: refusedNotHeld}, nil
	case err != nil:
		return refuse(err.Error()), nil
	}
	return answer{Scheme: sig.Scheme}, sig.Bytes
}

func refuse(reason string) answer { return answer{Refused: refusedOther, Reason: reason} }
