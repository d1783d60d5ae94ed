package agent

import (
	"errors"
	"fmt"

	"github.com/taoctl/taoctl/tao"
)

// ErrUnsupported says that this system cannot tell who is at the other end of a
// socket, without which there is no agent.
var ErrUnsupported = errors.New("the unlock agent is not available on this system")

// NotRunningError says that nobody answers on the socket.
type NotRunningError struct{ Path string }

func (e *NotRunningError) Error() string { return "no agent is running at " + e.Path }

// RunningError says that an agent has the socket already.
type RunningError struct{ Path string }

func (e *RunningError) Error() string { return "an agent is running already at " + e.Path }

// NotHeldError says that the agent holds no key of an account: it was never
// added, its time is over, or the agent was locked.
type NotHeldError struct{ Account tao.Account }

func (e *NotHeldError) Error() string { return "the agent holds no key of " + e.Account.String() }

// PeerError says that another user is at the other end of the socket.
type PeerError struct{ UID, Want uint32 }

func (e *PeerError) Error() string {
	return fmt.Sprintf("the other end of the agent's socket is user %d, not %d", e.UID, e.Want)
}

// AnswerError says that an agent answers, and not as it should.
type AnswerError struct {
	Path  string
	Cause error
}

func (e *AnswerError) Error() string { return fmt.Sprintf("the agent at %s: %v", e.Path, e.Cause) }

// Unwrap returns the cause.
func (e *AnswerError) Unwrap() error { return e.Cause }

// RefusedError is what an agent says when it will not do what it was asked for.
type RefusedError struct{ Reason string }

func (e *RefusedError) Error() string { return "refused: " + e.Reason }

// FolderError says why the socket's folder is not safe.
type FolderError struct {
	Path   string
	Reason string
	Fix    string // a shell command that mends it, if there is one
}

func (e *FolderError) Error() string { return fmt.Sprintf("folder %s %s", e.Path, e.Reason) }
