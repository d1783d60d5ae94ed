package testnode

import (
	"strings"
	"time"

	"github.com/taoctl/taoctl/chain"
)

// FaultKind is a way to fail.
type FaultKind int

// The ways to fail. Those that need a wire behave over memory as the client
// would report them over one.
const (
	DropBefore FaultKind = iota // the line breaks before the node looks at the request
	DropAfter                   // the node does what was asked, then the line breaks without a reply
	Delay                       // the reply comes after Fault.Wait
	Silence                     // no reply ever; the request is not carried out
	Garbage                     // the reply is no JSON
	Truncated                   // the reply ends early
	WrongID                     // the reply answers a request never made
	Oversize                    // the reply is larger than Fault.Size bytes
	Refuse                      // the node answers Fault.Error
	Betray                      // the node does what was asked and answers Fault.Error
	Swallow                     // an extrinsic is accepted and never seen again
)

// Fault makes the node fail when it is asked for a method.
type Fault struct {
	Method string // a method, or the beginning of several: "author_submit"
	Kind   FaultKind
	Times  int // how often; 0 is always
	Skip   int // how many requests pass before the first failure
	Wait   time.Duration
	Size   int
	Error  chain.RPCError
}

// Fail adds a fault.
func (n *Node) Fail(f Fault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, &f)
}

// Heal removes all faults.
func (n *Node) Heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = nil
}

// fault takes the next fault that applies to a method: of that kind, or for
// kind < 0 of any kind but Swallow, which belongs to the pool.
func (n *Node) fault(method string, kind FaultKind) *Fault {
	for i, f := range n.faults {
		wanted := f.Kind == kind || kind < 0 && f.Kind != Swallow
		if !wanted || !strings.HasPrefix(method, f.Method) && !strings.HasPrefix(f.Method, method) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		if f.Times == 1 {
			n.faults = append(n.faults[:i:i], n.faults[i+1:]...)
		} else if f.Times > 1 {
			f.Times--
		}
		return f
	}
	return nil
}
