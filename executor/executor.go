// Package executor runs a Substrate chain's runtime: the WebAssembly that lies
// in its state under :code. It gives the runtime the host functions that a node
// gives it (Substrate, primitives/io/src/lib.rs), over any storage, and returns
// what the runtime answered and would change.
//
// It is for finding out what a call would do, and for local chains. It makes no
// trie: storage roots are hashes that stand for one and are equal for equal
// input, no more.
package executor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"
)

// Storage is the state that a runtime starts from. It is only read. An error
// ends the call that reads.
type Storage interface {
	Get(ctx context.Context, key []byte) (value []byte, found bool, err error)
	Next(ctx context.Context, key []byte) (next []byte, found bool, err error) // the next key in byte order
}

// Limits of one call. Subtensor's own blocks need a fraction of them.
const (
	MaxTime   = 30 * time.Second // that one call runs; reading the storage does not count
	MaxMemory = 256 << 20        // bytes of the runtime's memory
	MaxState  = 256 << 20        // bytes that one call may write to storage, overwritten ones included
)

// Runtime is a chain's code, ready to be called. It is safe for use by several
// goroutines; its calls run one after another.
type Runtime struct {
	mu       sync.Mutex
	engine   wazero.Runtime
	code     wazero.CompiledModule
	env      wazero.CompiledModule
	heapBase uint32
	trusting bool
	nested   bool // it was loaded by another runtime
	maxTime  time.Duration
	close    func() error
}

// Option changes how a runtime is loaded.
type Option func(*Runtime)

// TrustUnsigned takes a signature of zeros for good, of whatever scheme, which no
// key could make. It is for finding out what an extrinsic would do that nobody has
// signed yet, and must never serve a chain. Signatures that a call itself carries
// are checked as ever.
func TrustUnsigned() Option { return func(r *Runtime) { r.trusting = true } }

// WithTime bounds each call, instead of [MaxTime].
func WithTime(d time.Duration) Option { return func(r *Runtime) { r.maxTime = d } }

// CodeError says why code cannot be run.
type CodeError struct {
	Reason string
	Err    error
}

func (e *CodeError) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

func (e *CodeError) Unwrap() error { return e.Err }

// HostError names host functions that a runtime asks for and this package does
// not have.
type HostError struct{ Names []string }

func (e *HostError) Error() string {
	return "the runtime needs host functions that are not known here: " + strings.Join(e.Names, ", ")
}

// TrapError says that a runtime gave up.
type TrapError struct {
	Method string
	Panic  string // what it logged before, "" if nothing
	Err    error
}

func (e *TrapError) Error() string {
	if e.Panic != "" {
		return fmt.Sprintf("the runtime panicked in %s: %s", e.Method, e.Panic)
	}
	return fmt.Sprintf("the runtime trapped in %s: %v", e.Method, e.Err)
}

func (e *TrapError) Unwrap() error { return e.Err }

// LimitError says that a call went beyond a limit.
type LimitError struct{ Method, Limit string }

func (e *LimitError) Error() string {
	return fmt.Sprintf("the runtime went beyond the limit of %s in %s", e.Limit, e.Method)
}

// MethodError says that a runtime does not have a method.
type MethodError struct{ Method string }

func (e *MethodError) Error() string { return "the runtime has no " + e.Method }

// Load makes code ready, compressed or not, as it lies in :code. Errors:
// *CodeError, *HostError.
func Load(ctx context.Context, code []byte, options ...Option) (*Runtime, error) {
	wasm, err := unpack(code)
	if err != nil {
		return nil, err
	}
	// The interpreter starts at once, needs no cache on disk, and is the same on
	// every machine; a transaction takes it a few milliseconds.
	config := wazero.NewRuntimeConfigInterpreter().WithMemoryLimitPages(MaxMemory / pageSize).WithCloseOnContextDone(true)
	r := &Runtime{engine: wazero.NewRuntimeWithConfig(ctx, config), maxTime: MaxTime}
	r.close = func() error { return r.engine.Close(context.WithoutCancel(ctx)) }
	for _, set := range options {
		set(r)
	}
	if err := r.load(ctx, wasm); err != nil {
		_ = r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Runtime) load(ctx context.Context, wasm []byte) (err error) {
	if wasm, err = inspect(wasm); err != nil {
		return &CodeError{"the code is no WebAssembly that can be run", err}
	}
	if r.code, err = r.engine.CompileModule(ctx, wasm); err != nil {
		return &CodeError{"the code is no WebAssembly that can be run", err}
	}
	if len(r.code.ImportedMemories())+len(r.code.ExportedMemories()) == 0 {
		return &CodeError{Reason: "the code is no runtime: it has no memory that others see"}
	}
	host, err := r.link(ctx)
	if err != nil {
		return err
	}
	if r.env, err = r.engine.CompileModule(ctx, host); err != nil {
		return &CodeError{"the code asks for host functions in a form that cannot be had", err}
	}
	// What the code exports can be looked at only in an instance. Code may have
	// itself run when it starts, and must not do so for long.
	limited, _, stop := limit(ctx, r.maxTime)
	defer stop()
	m, done, err := r.instantiate(limited)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return &CodeError{"the code does not start", firstLine(err)}
	}
	defer done()
	base := m.ExportedGlobal("__heap_base")
	if base == nil {
		return &CodeError{Reason: "the code is no runtime: it exports no __heap_base"}
	}
	r.heapBase = uint32(base.Get())
	return nil
}

// link offers the host functions that the code imports, and returns the module
// that re-exports them beside the memory.
func (r *Runtime) link(ctx context.Context) ([]byte, error) {
	builder := r.engine.NewHostModuleBuilder("host")
	host := hostFunctions()
	var functions []imported
	var unknown []string
	for _, f := range r.code.ImportedFunctions() {
		module, name, _ := f.Import()
		do, known := host[name]
		if module != "env" || !known {
			unknown = append(unknown, module+"."+name)
			continue
		}
		functions = append(functions, imported{name, f.ParamTypes(), f.ResultTypes()})
		builder.NewFunctionBuilder().WithGoModuleFunction(api.GoModuleFunc(func(ctx context.Context, _ api.Module, stack []uint64) {
			do(ctx.Value(callKey{}).(*call), stack)
		}), f.ParamTypes(), f.ResultTypes()).Export(name)
	}
	if len(unknown) > 0 {
		return nil, &HostError{unknown}
	}
	pages := uint32(0)
	for _, m := range r.code.ImportedMemories() {
		module, name, _ := m.Import()
		if module != "env" || name != "memory" {
			return nil, &CodeError{Reason: fmt.Sprintf("the code imports the memory %s.%s", module, name)}
		}
		pages = m.Min()
	}
	if pages > MaxMemory/pageSize {
		return nil, &CodeError{Reason: fmt.Sprintf("the code needs %d pages of memory", pages)}
	}
	if _, err := builder.Instantiate(ctx); err != nil {
		return nil, &CodeError{"offer host functions", err}
	}
	return memoryModule(functions, pages), nil
}

// instantiate makes a fresh memory and instance; done ends both.
func (r *Runtime) instantiate(ctx context.Context) (m api.Module, done func(), err error) {
	none := wazero.NewModuleConfig().WithStartFunctions()
	env, err := r.engine.InstantiateModule(ctx, r.env, none.WithName("env"))
	if err != nil {
		return nil, nil, err
	}
	m, err = r.engine.InstantiateModule(ctx, r.code, none.WithName(""))
	if err != nil {
		_ = env.Close(ctx)
		return nil, nil, err
	}
	return m, func() {
		_ = m.Close(ctx)
		_ = env.Close(ctx)
	}, nil
}

// Close frees what the runtime holds.
func (r *Runtime) Close() error { return r.close() }

// Result is what came of a call.
type Result struct {
	Output  []byte
	Changes []Change // sorted by key
}

// Change is a value that was written, or with Deleted removed.
type Change struct {
	Key, Value []byte
	Deleted    bool
}

// Call runs a method, "Core_version" for one, on SCALE input. Nothing is
// written to s. Errors: *MethodError, *TrapError, *LimitError, and what s
// reports.
func (r *Runtime) Call(ctx context.Context, s Storage, method string, input []byte) (Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	limited, clock, stop := limit(ctx, r.maxTime)
	defer stop()
	c := &call{ctx: limited, clock: clock, storage: s, layers: []layer{{}}, trusting: r.trusting, nested: r.nested}
	out, err := r.run(context.WithValue(limited, callKey{}, c), c, method, input)
	if err != nil {
		return Result{}, c.explain(limited, r.maxTime, method, err)
	}
	return Result{Output: out, Changes: c.changes()}, nil
}

func (r *Runtime) run(ctx context.Context, c *call, method string, input []byte) ([]byte, error) {
	m, done, err := r.instantiate(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	f := m.ExportedFunction(method)
	if f == nil || len(f.Definition().ParamTypes()) != 2 || len(f.Definition().ResultTypes()) != 1 {
		return nil, &MethodError{method}
	}
	c.memory = m.Memory()
	c.heap = newHeap(c.memory, r.heapBase)
	at, err := c.heap.take(uint32(len(input)))
	if err != nil {
		return nil, err
	}
	if !c.memory.Write(at, input) {
		return nil, errMemory
	}
	res, err := f.Call(ctx, uint64(at), uint64(len(input)))
	if err != nil {
		return nil, err
	}
	out, ok := c.memory.Read(uint32(res[0]), uint32(res[0]>>32))
	if !ok {
		return nil, &CodeError{Reason: "the answer lies outside of the memory"}
	}
	if len(c.layers) != 1 {
		return nil, &CodeError{Reason: "a storage transaction was left open"}
	}
	return bytes.Clone(out), nil
}

// explain says why a call ended: the storage's error before the trap that it
// led to, and a limit before both.
func (c *call) explain(ctx context.Context, limit time.Duration, method string, err error) error {
	var missing *MethodError
	var exit *sys.ExitError
	switch {
	case errors.As(err, &missing):
		return missing
	case errors.Is(context.Cause(ctx), errTime):
		return &LimitError{method, limit.String()}
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(c.err, errState):
		return &LimitError{method, fmt.Sprintf("%d MiB written", MaxState>>20)}
	case errors.Is(c.err, errMemory) || errors.Is(err, errMemory):
		return &LimitError{method, fmt.Sprintf("%d MiB of memory", MaxMemory>>20)}
	case c.err != nil:
		return fmt.Errorf("run %s: %w", method, c.err)
	case errors.As(err, &exit):
		return &TrapError{Method: method, Err: fmt.Errorf("it exited with %d", exit.ExitCode())}
	}
	return &TrapError{Method: method, Panic: c.lastWords(), Err: firstLine(err)}
}

// firstLine leaves the interpreter's stack out.
func firstLine(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	return errors.New(text)
}

// Methods lists what the runtime offers, sorted.
func (r *Runtime) Methods() []string {
	var list []string
	for name, f := range r.code.ExportedFunctions() {
		if strings.Contains(name, "_") && len(f.ParamTypes()) == 2 && len(f.ResultTypes()) == 1 {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}
