package cmd

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/register"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// workFacts is what is told of registration by work before it is agreed to.
type workFacts struct {
	Seal       powsolver.Kind  `json:"seal"`
	Order      powsolver.Order `json:"byte_order" view:"byte order"`
	Signer     string          `json:"signer"`
	Difficulty uint64          `json:"difficulty"`
	Engine     string          `json:"engine"`
	Workers    int             `json:"workers"`
	OpenCL     []string        `json:"opencl,omitempty"`   // devices that work too
	LeftOut    []leftOut       `json:"left_out,omitempty"` // devices that should, and do not
	Rate       uint64          `json:"about_seals_per_second" view:"about seals/s"`
	Expected   string          `json:"about_time" view:"half of all searches within about"`
}

func (a *app) registerPowCommand() *cobra.Command {
	var attempts, workers int
	c := &cobra.Command{
		Use:   "pow NETUID [HOTKEY]...",
		Short: "Register hotkeys on a subnet by proof of work",
		Long: `Register hotkeys on a subnet, one after another, by proof of work. Nothing is
burnt. How the work is done, and whether hotkey or coldkey signs, is decided by
the runtime; on one whose register call would ignore the work and burn TAO, this
is refused.

The work follows the chain: it starts anew with each block, is checked again
before it is signed, and is sent only while it is fresh. Ctrl-C stops at once.`,
		Example: "  taoctl register pow 1\n  taoctl register pow 1 miner1 miner2 --max-attempts 10 --yes",
		Args:    arguments(cobra.MinimumNArgs(1)),
	}
	a.workFlags(c, &attempts, &workers)
	c.RunE = func(c *cobra.Command, args []string) error {
		netuid, err := parseNetUID(args[0])
		if err != nil {
			return err
		}
		hotkeys, err := a.hotkeysNamed(c.Context(), args[1:], false)
		if err != nil {
			return err
		}
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return err
		}
		var works []register.Work
		for _, h := range hotkeys {
			works = append(works, register.Work{Coldkey: w.Coldkey, Hotkey: h, NetUID: netuid})
		}
		return a.mine(c, works, attempts, workers)
	}
	return c
}

func (a *app) registerFaucetCommand() *cobra.Command {
	var attempts, workers int
	c := &cobra.Command{
		Use:   "faucet",
		Short: "Get TAO from the faucet of a local chain, by proof of work",
		Long: `Get TAO from the faucet of a local chain that was built with one, by proof of
work. Other chains have none; up to spec 364 they have the call all the same and
answer FaucetDisabled.`,
		Example: "  taoctl register faucet --network local",
		Args:    arguments(cobra.NoArgs),
	}
	a.workFlags(c, &attempts, &workers)
	c.RunE = func(c *cobra.Command, _ []string) error {
		w, err := a.chosenWallet(c.Context())
		if err != nil {
			return err
		}
		return a.mine(c, []register.Work{{Coldkey: w.Coldkey, Hotkey: w.Coldkey, Faucet: true}}, attempts, workers)
	}
	return c
}

func (a *app) workFlags(c *cobra.Command, attempts, workers *int) {
	a.changeFlagsOf(c)
	a.hotkeyFlag(c)
	c.Flags().IntVar(attempts, "max-attempts", 5, "how often to try each hotkey, where its work came too late or was refused")
	c.Flags().IntVar(workers, "workers", 0, "how many cores to work on (default: all, but one for each graphics card)")
	a.openclFlag(c)
	a.formFlags(c)
}

// mostWorkers bounds what a slip of the finger takes: far more than any machine has
// processors.
const mostWorkers = 4096

// mine makes a queue of works and runs it.
func (a *app) mine(c *cobra.Command, works []register.Work, attempts, workers int) error {
	if attempts < 1 || workers < 0 || workers > mostWorkers {
		return usagef("--max-attempts must be at least 1, and --workers between 0 and %d", mostWorkers)
	}
	q := &queue{app: a, command: c, attempts: attempts, netuid: works[0].NetUID, anew: !works[0].Faucet}
	var err error
	if q.options, q.wait, err = a.change.parse(); err != nil {
		return err
	}
	if !c.Flags().Changed("era") {
		// Old work must not cost a fee: the transaction ends with its work.
		q.options.Period = tx.MinPeriod
	}
	v, err := a.best(c)
	if err != nil {
		return err
	}
	solver, facts, err := a.prepareWork(c.Context(), v, works, workers)
	if err != nil {
		return err
	}
	q.work = facts
	for _, w := range works {
		q.jobs = append(q.jobs, a.workJob(w, facts, solver))
	}
	return q.run(v)
}

// prepareWork chooses an engine and says what the work will take, by the first
// of the works that may be done.
func (a *app) prepareWork(ctx context.Context, v *chain.View, works []register.Work, workers int) (*powsolver.Solver, *workFacts, error) {
	ch, err := firstChallenge(ctx, v, works)
	if err != nil {
		return nil, nil, err
	}
	engine, dropped := powsolver.Select()
	for _, d := range dropped {
		a.say("left out: %v", d)
	}
	if engine == nil {
		return nil, nil, fmt.Errorf("this machine computes seals wrongly: %w", dropped[len(dropped)-1])
	}
	if ch == nil {
		return nil, nil, nil // all are registered: run says so
	}
	g, err := a.gather(ctx, engine, workers)
	return g.solver, &workFacts{
		Seal: ch.Rule.Seal, Order: ch.Rule.Order, Signer: ch.Rule.Signer, Difficulty: ch.Puzzle.Difficulty,
		Engine: engine.Name(), Workers: g.workers, OpenCL: g.opencl.names(), LeftOut: g.opencl.leftOut, Rate: g.fast.perSecond(),
		Expected: roundTime(g.fast.median(ch.Puzzle.Difficulty)),
	}, err
}

// firstChallenge is that of the first hotkey that is not registered yet; nil if
// all are.
func firstChallenge(ctx context.Context, v *chain.View, works []register.Work) (*register.Challenge, error) {
	for _, w := range works {
		ch, err := w.Challenge(ctx, v)
		if is[*register.RegisteredError](err) {
			continue
		}
		return &ch, err
	}
	return nil, nil
}

// gathering is all that works, in one solver.
type gathering struct {
	solver  *powsolver.Solver
	workers int // of the CPU
	opencl  openclCrew
	fast    speed
}

// gather puts workers of the CPU, 0 for as many as suit, and the OpenCL devices
// together, and measures them.
func (a *app) gather(ctx context.Context, engine *powsolver.Engine, workers int) (g gathering, err error) {
	if g.opencl, err = a.openOpenCL(ctx); err != nil {
		return g, err
	}
	if g.workers = workers; workers == 0 {
		// A card that waits for a core to be given its next launch stands still.
		g.workers = max(powsolver.Cores()-g.opencl.cards(), 1)
	}
	// With a worker on every processor that Go knows, Go looks at the network
	// every 10 ms only.
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), g.workers+1))
	g.solver = powsolver.NewSolver(append(engine.Workers(g.workers), g.opencl.crew()...)...)
	g.fast, err = measure(ctx, g.solver)
	if err == nil && g.opencl.workers != nil {
		g.fast, err = measure(ctx, g.solver) // devices have found their pace now
		g.opencl.strike(g.solver.Progress())
	}
	return g, err
}

// speed is how fast a solver computes, between two readings.
type speed struct{ from, to powsolver.Progress }

func (s speed) perSecond() uint64 { return uint64(s.to.Since(s.from)) }

// median is the time within which half of all searches end.
func (s speed) median(difficulty uint64) time.Duration {
	const half = 0.5
	return powsolver.Within(difficulty, s.to.Since(s.from), half)
}

// measure runs a solver for a moment, on work that nobody finds in it.
func measure(ctx context.Context, s *powsolver.Solver) (speed, error) {
	const moment = 150 * time.Millisecond
	short, cancel := context.WithTimeout(ctx, moment)
	defer cancel()
	before := s.Progress()
	before.Elapsed = 0
	_, err := s.Solve(short, powsolver.Puzzle{Kind: powsolver.Legacy, Difficulty: math.MaxUint64, Block: [32]byte{1}}, nil)
	switch {
	case ctx.Err() != nil:
		return speed{}, errInterrupted
	case err != nil && short.Err() == nil:
		return speed{}, err
	}
	return speed{from: before, to: s.Progress()}, nil
}

func roundTime(d time.Duration) string {
	switch {
	case d > 10*time.Second:
		return d.Round(time.Second).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}

// workJob is one registration by work.
func (a *app) workJob(w register.Work, facts *workFacts, solver *powsolver.Solver) job {
	signer := w.Hotkey
	if facts != nil && facts.Signer == register.ByColdkey {
		signer = w.Coldkey
	}
	return job{
		hotkey: w.Hotkey, signer: signer,
		plan: func(ctx context.Context, v *chain.View) (tx.Plan, error) {
			ch, err := w.Challenge(ctx, v)
			if err != nil {
				return tx.Plan{}, err
			}
			return ch.Trial(), nil
		},
		search: func(ctx context.Context, client *chain.Client) (planner, error) {
			return a.search(ctx, client, solver, w)
		},
	}
}

// search finds work and shows how far it is.
func (a *app) search(ctx context.Context, client *chain.Client, solver *powsolver.Solver, w register.Work) (planner, error) {
	show := a.showSearch(solver)
	defer show.stop()
	ch, nonce, err := register.Search(ctx, client, solver, w, show.challenge)
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, v *chain.View) (tx.Plan, error) { return ch.Plan(ctx, v, nonce) }, nil
}

// searchLine is a search as a line of JSON on standard error.
type searchLine struct {
	Event      string `json:"event"` // work
	Block      uint32 `json:"work_block"`
	Difficulty uint64 `json:"difficulty"`
	Tried      uint64 `json:"seals_tried"`
	Rate       uint64 `json:"seals_per_second"`
	Expected   int64  `json:"about_milliseconds"` // half of all searches take less
	Left       uint32 `json:"blocks_left"`        // that may still come before this work is of no use
	Workers    []pace `json:"workers"`
}

// pace is what the workers of an engine, or a device, do together.
type pace struct {
	Name    string `json:"name"`
	Workers int    `json:"workers"` // those that have not been left out
	Rate    uint64 `json:"seals_per_second"`
}

func (s speed) paces() []pace {
	var list []pace
	for _, r := range s.to.ByName(s.from) {
		list = append(list, pace{Name: r.Name, Workers: r.Workers, Rate: uint64(r.Rate)})
	}
	return list
}

// leftOutLine tells of a device that failed, as a line of JSON.
type leftOutLine struct {
	Event string `json:"event"` // left_out
	leftOut
}

// searchShow tells a person, or a script, how a search goes.
type searchShow struct {
	app    *app
	solver *powsolver.Solver
	spin   *term.Progress
	done   chan struct{}
	ended  sync.WaitGroup
	told   map[int]bool // the workers that are known to be left out, by number

	mu  sync.Mutex
	now register.Challenge
}

func (a *app) showSearch(s *powsolver.Solver) *searchShow {
	show := &searchShow{app: a, solver: s, spin: a.busy(searchStarts), done: make(chan struct{}), told: map[int]bool{}}
	for i, w := range s.Progress().Workers {
		show.told[i] = w.Err != nil // in a search before this one
	}
	show.ended.Go(show.run)
	return show
}

const searchStarts = "starting the search"

func (s *searchShow) challenge(ch register.Challenge) {
	s.mu.Lock()
	s.now = ch
	s.mu.Unlock()
}

func (s *searchShow) stop() {
	close(s.done)
	s.ended.Wait()
	s.spin.Stop()
	for _, l := range s.newlyLeftOut(s.solver.Progress()) {
		s.lost(l)
	}
}

// newlyLeftOut are the workers that failed since it was asked last.
func (s *searchShow) newlyLeftOut(p powsolver.Progress) (list []leftOut) {
	for i, w := range p.Workers {
		if w.Err != nil && !s.told[i] {
			s.told[i] = true
			list = append(list, leftOut{w.Name, w.Err.Error()})
		}
	}
	return list
}

// lost tells of a worker that failed; no line of progress may be drawn meanwhile.
func (s *searchShow) lost(l leftOut) {
	if s.app.out.json && !s.app.out.quiet {
		_ = json.NewEncoder(s.app.env.Err).Encode(leftOutLine{"left_out", l}) // the search goes on all the same
		return
	}
	s.app.say("left out: %s: %s", l.Device, l.Reason)
}

func (s *searchShow) run() {
	const every = time.Second
	tick := time.NewTicker(every)
	defer tick.Stop()
	// The solver counts on from what it did before this search, so a rate takes
	// two readings of it.
	var before *powsolver.Progress
	for {
		select {
		case <-s.done:
			return
		case <-tick.C:
		}
		now := s.solver.Progress()
		if list := s.newlyLeftOut(now); list != nil {
			s.spin.Stop()
			for _, l := range list {
				s.lost(l)
			}
			s.spin = s.app.busy(searchStarts)
		}
		if before != nil {
			s.tell(now, speed{from: *before, to: now})
		}
		before = &now
	}
}

func (s *searchShow) tell(p powsolver.Progress, fast speed) {
	s.mu.Lock()
	ch := s.now
	s.mu.Unlock()
	expected := fast.median(ch.Puzzle.Difficulty)
	left, _ := ch.BlocksLeft(ch.Block)
	if s.app.out.json && !s.app.out.quiet {
		line := searchLine{
			Event: "work", Block: ch.Block, Difficulty: ch.Puzzle.Difficulty, Tried: p.Tried, Rate: fast.perSecond(),
			Expected: expected.Milliseconds(), Left: left, Workers: fast.paces(),
		}
		_ = json.NewEncoder(s.app.env.Err).Encode(line) // a lost line of progress changes nothing
		return
	}
	s.spin.Set(fmt.Sprintf("block %d, good for %d more: %s seals/s%s, difficulty %d, half of all searches within about %s",
		ch.Block, left, short(fast.perSecond()), fast.shares(), ch.Puzzle.Difficulty, roundTime(expected)))
}

// shares says which devices a rate comes from, if there are several.
func (s speed) shares() string {
	paces := s.paces()
	if len(paces) < 2 {
		return ""
	}
	var parts []string
	for _, p := range paces {
		name, _, _ := strings.Cut(p.Name, " (") // a line of progress has no room for "opencl 0 (NVIDIA H100 80GB HBM3)"
		parts = append(parts, name+" "+short(p.Rate))
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

// short is a large number for people, to three digits or so.
func short(n uint64) string {
	const k, m = 1_000, 1_000_000
	switch {
	case n >= m:
		return fmt.Sprintf("%d.%d M", n/m, n%m/(m/10))
	case n >= k:
		return fmt.Sprintf("%d k", n/k)
	}
	return fmt.Sprint(n)
}

// expectWork says how long the work of each subnet takes on this machine.
func (a *app) expectWork(ctx context.Context, result *costs) error {
	some := false
	for _, s := range result.Subnets {
		some = some || s.Work
	}
	if !some {
		return nil
	}
	engine, _ := powsolver.Select()
	if engine == nil {
		return nil
	}
	fast, err := measure(ctx, powsolver.NewSolver(engine.Workers(powsolver.Cores())...))
	if err != nil {
		return err
	}
	rate := fast.perSecond()
	result.Rate = &rate
	for i := range result.Subnets {
		if s := &result.Subnets[i]; s.Work {
			median := fast.median(s.Difficulty)
			ms := median.Milliseconds()
			s.Expected, s.Takes = &ms, roundTime(median)
		}
	}
	return nil
}

func (a *app) powCommand() *cobra.Command {
	return group("pow", "Measure and check proof of work", a.powBenchCommand(), a.powDevicesCommand(), a.powVerifyCommand())
}

// benchmark is the result of "pow bench".
type benchmark struct {
	Engines []powsolver.BenchResult  `json:"engines"`
	Cores   powsolver.CoresResult    `json:"all_cores" view:"all cores"`
	OpenCL  []powsolver.WorkerResult `json:"opencl,omitempty"`
	LeftOut []leftOut                `json:"left_out,omitempty"`
}

func (a *app) powBenchCommand() *cobra.Command {
	bench := powsolver.Bench{Slice: 100 * time.Millisecond, Passes: 9}
	c := &cobra.Command{
		Use:   "bench",
		Short: "Measure every engine on this machine",
		Long: `Measure how many seals each engine computes on one core, for each seal and byte
order, in alternating slices of time so that other work on the machine hits all
alike; and what all cores reach together. Medians are shown. OpenCL devices are
measured by the clock on the wall, each by itself.`,
		Example: "  taoctl pow bench\n  taoctl pow bench --json --passes 21",
		Args:    arguments(cobra.NoArgs),
	}
	c.Flags().DurationVar(&bench.Slice, "slice", bench.Slice, "how long an engine runs at a time")
	c.Flags().IntVar(&bench.Passes, "passes", bench.Passes, "how often each has its turn")
	a.openclFlag(c)
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		if bench.Slice <= 0 || bench.Passes <= 0 {
			return nil, usagef("--slice and --passes must be above 0")
		}
		var b benchmark
		var err error
		if b.OpenCL, b.LeftOut, err = a.benchOpenCL(c.Context(), bench); err != nil {
			return nil, err
		}
		spin := a.busy("measuring")
		defer spin.Stop()
		if b.Engines, err = bench.Run(c.Context()); err != nil {
			return nil, err
		}
		b.Cores, err = bench.Cores(c.Context(), powsolver.Engines()[0], powsolver.Cores())
		return b, err
	})
}

// devices is the result of "pow devices".
type devices struct {
	Engines []device      `json:"engines"`
	Cores   int           `json:"cores"`
	OpenCL  openclDevices `json:"opencl"`
}

type device struct {
	Name   string `json:"name"`
	Agrees bool   `json:"agrees"` // with the definition of the seals, checked now
	Chosen bool   `json:"chosen"`
	Note   string `json:"note,omitempty"`
}

func (a *app) powDevicesCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "devices",
		Short: "List what this machine can compute seals with",
		Long: `List the engines that this machine offers, the fastest first, each checked
against the definition of the seals. The first that agrees is chosen.

If the program taoctl-opencl is installed, beside taoctl or on the PATH, the
devices of OpenCL are listed and checked as well; all that are no CPU are chosen.`,
		Example: "  taoctl pow devices",
		Args:    arguments(cobra.NoArgs),
	}
	a.openclFlag(c)
	return a.query(c, func(c *cobra.Command, _ []string) (any, error) {
		d := devices{Cores: powsolver.Cores()}
		chosen := false
		for _, e := range powsolver.Engines() {
			err := e.Check()
			row := device{Name: e.Name(), Agrees: err == nil, Chosen: err == nil && !chosen}
			if err != nil {
				row.Note = err.Error()
			}
			chosen = chosen || row.Chosen
			d.Engines = append(d.Engines, row)
		}
		var err error
		d.OpenCL, err = a.listOpenCL(c.Context())
		return d, err
	})
}

// sealCheck is the result of "pow verify".
type sealCheck struct {
	Seal       tao.Hash        `json:"seal"`
	Meets      bool            `json:"meets"`
	Kind       powsolver.Kind  `json:"kind"`
	Order      powsolver.Order `json:"byte_order" view:"byte order"`
	Difficulty uint64          `json:"difficulty"`
	Nonce      uint64          `json:"nonce"`
}

func (a *app) powVerifyCommand() *cobra.Command {
	var seal, order, block, hotkey, coldkey string
	var netuid uint16
	var p powsolver.Puzzle
	var nonce uint64
	c := &cobra.Command{
		Use:   "verify",
		Short: "Compute the seal of a nonce and check it",
		Long: `Compute the seal of a nonce and say whether it meets the difficulty. Keys are
addresses or 32 bytes as 0x hex. It needs no network.`,
		Example: `  taoctl pow verify --seal legacy --byte-order big --block-hash 0x821e69709f6e59c91808940597dea70f652c6be10a775b2f6d58bc4c68a6e712 --hotkey 0x6cc1081ed1d4a4375ef21505de8405914b2b55b8d2981eb31611fb91cbb6fa1b --nonce 53168 --difficulty 200000`,
		Args:    arguments(cobra.NoArgs),
	}
	f := c.Flags()
	f.StringVar(&seal, "seal", "legacy", "which seal: original, legacy or v475")
	f.StringVar(&order, "byte-order", "little", "how the seal is compared: big (to spec 277) or little (from 283)")
	f.StringVar(&block, "block-hash", "", "hash of the block that the work is for")
	f.StringVar(&hotkey, "hotkey", "", "hotkey; of a faucet's seal the coldkey")
	f.StringVar(&coldkey, "coldkey", "", "coldkey, of a v475 seal")
	f.Uint16Var(&netuid, "netuid", 0, "subnet, of a v475 seal")
	f.Uint64Var(&nonce, "nonce", 0, "nonce")
	f.Uint64Var(&p.Difficulty, "difficulty", 1, "difficulty")
	return a.query(c, func(*cobra.Command, []string) (any, error) {
		var err error
		if p.Kind, err = powsolver.ParseKind(seal); err != nil {
			return nil, usagef("--seal: %w", err)
		}
		if p.Order, err = parseOrder(order); err != nil {
			return nil, err
		}
		hash, err := parseHash("--block-hash", block)
		if err != nil {
			return nil, err
		}
		p.Block, p.NetUID = hash, netuid
		if err := readKeys(&p, hotkey, coldkey); err != nil {
			return nil, err
		}
		if err := p.Check(); err != nil {
			return nil, usage(err)
		}
		got, meets := powsolver.Verify(p, nonce)
		return sealCheck{Seal: got, Meets: meets, Kind: p.Kind, Order: p.Order, Difficulty: p.Difficulty, Nonce: nonce}, nil
	})
}

func parseOrder(s string) (powsolver.Order, error) {
	switch s {
	case "little", "little-endian":
		return powsolver.LittleEndian, nil
	case "big", "big-endian":
		return powsolver.BigEndian, nil
	}
	return 0, usagef("--byte-order %q is neither big nor little", s)
}

// readKeys reads the keys that the puzzle's seal is made of.
func readKeys(p *powsolver.Puzzle, hotkey, coldkey string) error {
	var err error
	if p.Kind == powsolver.Legacy || p.Kind == powsolver.V475 {
		if p.Hotkey, err = parseKey("--hotkey", hotkey); err != nil {
			return err
		}
	}
	if p.Kind == powsolver.V475 {
		p.Coldkey, err = parseKey("--coldkey", coldkey)
	}
	return err
}

// parseKey reads an account as an address or as hex.
func parseKey(flag, s string) (key [32]byte, err error) {
	if digits, isHex := strings.CutPrefix(s, "0x"); isHex {
		b, err := hex.DecodeString(digits)
		if err != nil || len(b) != len(key) {
			return key, usagef("%s %q is not 32 bytes of hex", flag, s)
		}
		return [32]byte(b), nil
	}
	account, err := tao.ParseAccount(s)
	if err != nil {
		return key, usagef("%s: %w", flag, err)
	}
	return account, nil
}
