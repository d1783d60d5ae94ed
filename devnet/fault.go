package devnet

import (
	"slices"
	"strings"
	"time"

	"github.com/taoctl/taoctl/chain"
)

// FaultKind is a way to fail.
type FaultKind string

// The ways to fail.
const (
	FaultDropBefore FaultKind = "drop-before" // the line breaks before the request is looked at
	FaultDropAfter  FaultKind = "drop-after"  // what was asked is done, then the line breaks without a reply
	FaultDelay      FaultKind = "delay"       // the reply comes after Fault.Wait
	FaultSilence    FaultKind = "silence"     // no reply ever, and nothing is done
	FaultTwice      FaultKind = "twice"       // the reply comes twice
	FaultGarbage    FaultKind = "garbage"     // the reply is no JSON
	FaultRefuse     FaultKind = "refuse"      // the reply is Fault.Error, and nothing is done
	FaultLie        FaultKind = "lie"         // what was asked is done, and the reply is Fault.Error
	FaultSwallow    FaultKind = "swallow"     // an extrinsic is accepted and never seen again
)

// Fault makes the chain fail when it is asked for a method.
type Fault struct {
	Method string         `json:"method"` // or how several begin: "author_submit"
	Kind   FaultKind      `json:"kind"`
	Times  int            `json:"times"` // how often; 0 is always
	Skip   int            `json:"skip"`  // how many requests pass before the first failure
	Wait   time.Duration  `json:"wait"`  // in nanoseconds
	Error  chain.RPCError `json:"error"`
}

// Fail adds a fault. It leaves the methods that begin with dev_ alone.
func (c *Chain) Fail(f Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = append(c.faults, &f)
}

// Heal removes all faults.
func (c *Chain) Heal() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = nil
}

// fault takes the next fault that applies to a method: of that kind, or for "" of
// any but FaultSwallow, which belongs to the pool. It needs the lock.
func (c *Chain) fault(method string, kind FaultKind) *Fault {
	if strings.HasPrefix(method, "dev_") {
		return nil
	}
	for i, f := range c.faults {
		wanted := f.Kind == kind || kind == "" && f.Kind != FaultSwallow
		if !wanted || !strings.HasPrefix(method, f.Method) && !strings.HasPrefix(f.Method, method) {
			continue
		}
		if f.Skip > 0 {
			f.Skip--
			continue
		}
		switch f.Times {
		case 0:
		case 1:
			c.faults = append(c.faults[:i:i], c.faults[i+1:]...)
		default:
			f.Times--
		}
		return f
	}
	return nil
}

func (k FaultKind) known() bool {
	return slices.Contains([]FaultKind{FaultDropBefore, FaultDropAfter, FaultDelay, FaultSilence, FaultTwice, FaultGarbage, FaultRefuse, FaultLie, FaultSwallow}, k)
}
