// Package testnode is a node for tests: a small chain in memory that speaks a
// real runtime's metadata, checks and applies extrinsics as a node does, and
// fails on demand.
//
// It is honest about what it knows: transfers, remarks and batches are carried
// out, and what a model was asked for ([Node.Senate], [Node.Referenda]); every
// other call ends as the test says, and in CallFiltered where the test says
// nothing. Weights and fees are made up, but what query_info says is what is
// charged.
package testnode

import (
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/declared"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// BaseFee is the fee in rao of every extrinsic, beside one rao for each of its
// bytes.
const BaseFee tao.Amount = 100_000

// Config says what node to start. The zero Config is finney at spec 393 that
// builds a block for each extrinsic and finalizes it at once.
type Config struct {
	Metadata string // a name of package fixture, "finney-393-v16" by default, or declared.ReferendaName
	Lag      uint32 // how many blocks the finalized head is behind the best one
	Manual   bool   // blocks are built by Build alone
	NoCode   bool   // state_getStorageHash is not served, as in Chopsticks
	Code     []byte // served as the runtime's code, which nothing here runs; by default none is
	Salt     string // makes another chain: another genesis hash
}

// Node is a node and its chain. Its methods may be called while clients use it.
type Node struct {
	tb  testing.TB
	cfg Config

	mu       sync.Mutex
	runtime  *runtime
	state    map[string]string // of the best block
	blocks   []*block          // by number
	final    uint32
	forks    int
	pool     []*extrinsic
	inBlocks []*extrinsic // included and not final
	pending  []event      // of the block being built
	results  map[string]Result
	rules    map[string]Rule
	onBlock  []func(*Chain)
	apis     map[string]func(args []byte) ([]byte, error)
	faults   []*Fault
	calls    map[string]int
	watches  map[uint64]*watch
	lastSub  uint64
	sessions map[*session]bool
}

// runtime is a version of the chain's code.
type runtime struct {
	*chain.Runtime
	blob []byte
	code tao.Hash
}

func metadata(tb testing.TB, name string) []byte {
	tb.Helper()
	if name == declared.ReferendaName {
		return declared.Referenda(tb)
	}
	return fixture.Metadata(tb, name)
}

type block struct {
	number     uint32
	hash       tao.Hash
	parent     tao.Hash
	extrinsics [][]byte
	state      map[string]string // after it; never changed
	runtime    *runtime          // that rules after it
}

// New starts a chain with its genesis block.
func New(tb testing.TB, cfg Config) *Node {
	tb.Helper()
	if cfg.Metadata == "" {
		cfg.Metadata = "finney-393-v16"
	}
	n := &Node{
		tb: tb, cfg: cfg,
		state:   map[string]string{},
		results: map[string]Result{}, rules: map[string]Rule{}, apis: map[string]func([]byte) ([]byte, error){},
		calls: map[string]int{}, watches: map[uint64]*watch{}, sessions: map[*session]bool{},
	}
	n.runtime = newRuntime(tb, cfg.Metadata)
	if cfg.Code != nil {
		n.state[code] = string(cfg.Code)
		n.runtime.code = blake2b.Sum256(cfg.Code)
	}
	n.append(nil)
	return n
}

// newRuntime reads a fixture; its name holds the spec version, as in
// "finney-393-v16".
func newRuntime(tb testing.TB, name string) *runtime {
	tb.Helper()
	blob := metadata(tb, name)
	m, err := scale.ParseMetadata(blob)
	if err != nil {
		tb.Fatal(err)
	}
	version, err := strconv.ParseUint(strings.Split(name, "-")[1], 10, 32)
	if err != nil {
		tb.Fatal(err)
	}
	code := tao.Hash(blake2b.Sum256(blob))
	spec := chain.Spec{Name: "node-subtensor", SpecVersion: uint32(version), ImplVersion: 1, TxVersion: 1, Code: code}
	return &runtime{Runtime: chain.NewRuntime(spec, m), blob: blob, code: code}
}

// Genesis is the hash of block 0.
func (n *Node) Genesis() tao.Hash {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.blocks[0].hash
}

// Runtime is the runtime that rules now.
func (n *Node) Runtime() *chain.Runtime {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.runtime.Runtime
}

// Head is the number and hash of the best block.
func (n *Node) Head() (uint32, tao.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	b := n.best()
	return b.number, b.hash
}

func (n *Node) best() *block { return n.blocks[len(n.blocks)-1] }

// Calls tells how often a method was asked for.
func (n *Node) Calls(method string) int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.calls[method]
}

// append closes a block over the state as it is.
func (n *Node) append(extrinsics [][]byte) *block {
	b := &block{extrinsics: extrinsics, state: maps.Clone(n.state), runtime: n.runtime}
	seed := []byte(n.cfg.Salt + n.cfg.Metadata)
	if len(n.blocks) > 0 {
		parent := n.best()
		b.number, b.parent = parent.number+1, parent.hash
		seed = b.parent[:]
	}
	seed = binary.LittleEndian.AppendUint32(slices.Clone(seed), b.number)
	for _, x := range extrinsics {
		seed = append(seed, x...)
	}
	seed = append(seed, n.state["salt"]...)
	b.hash = blake2b.Sum256(seed)
	n.blocks = append(n.blocks, b)
	return b
}

// Build builds a block of what the pool holds and is ready.
func (n *Node) Build() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.build()
}

// BuildN builds several blocks.
func (n *Node) BuildN(count int) {
	for range count {
		n.Build()
	}
}

func (n *Node) build() {
	n.pending = nil
	for _, begin := range n.onBlock {
		begin(&Chain{n, outside})
	}
	var bodies [][]byte
	var taken, waiting []*extrinsic
	for _, x := range n.pool {
		switch invalid := n.check(x); {
		case invalid == nil:
			n.apply(x, len(bodies))
			bodies, taken = append(bodies, x.bytes), append(taken, x)
		case invalid.name == "Future":
			waiting = append(waiting, x)
		default:
			n.notify(x, `"invalid"`)
		}
	}
	n.pool = waiting
	n.storeEvents()
	b := n.append(bodies)
	n.announce("chain_subscribeNewHeads", b)
	for _, x := range taken {
		x.block = b.hash
		n.notify(x, fmt.Sprintf(`{"inBlock":%q}`, b.hash))
	}
	n.included(taken)
	n.finalize()
}

// finalize moves the finalized head as far as the lag allows.
func (n *Node) finalize() {
	head := n.best().number
	for head >= n.cfg.Lag && n.final < head-n.cfg.Lag {
		n.final++
		b := n.blocks[n.final]
		n.announce("chain_subscribeFinalizedHeads", b)
		n.notifyFinal(b)
	}
}

// Upgrade brings another runtime, a name of package fixture, with a block of
// its own: whoever reads after that block meets the new runtime.
func (n *Node) Upgrade(metadata string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	next := newRuntime(n.tb, metadata)
	n.pending = nil
	n.storeEvents() // written by the old runtime, as on a real chain
	n.runtime = next
	b := n.append(nil)
	n.announce("chain_subscribeNewHeads", b)
	n.finalize()
}

// Reorganize throws the last blocks away, as a longer fork does, puts as many
// empty ones plus one in their place, and returns the extrinsics to the pool.
// Finalized blocks stay.
func (n *Node) Reorganize(depth int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	keep := len(n.blocks) - depth
	if keep <= int(n.final) {
		n.tb.Errorf("testnode: blocks above %d cannot be thrown away: %d is final", keep, n.final)
		return
	}
	gone := n.blocks[keep:]
	n.blocks = n.blocks[:keep]
	n.state, n.runtime = maps.Clone(n.best().state), n.best().runtime
	n.forks++
	n.state["salt"] = strconv.Itoa(n.forks)
	for _, b := range gone {
		n.retract(b)
	}
	held := n.pool
	n.pool = nil
	for range depth + 1 {
		n.build()
	}
	n.pool = append(n.pool, held...)
}
