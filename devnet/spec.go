package devnet

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/scale"
)

// maxSpec is how many bytes of a chain spec are read; that of a chain at work holds
// its state, in hex.
const maxSpec = 256 << 20

// Spec is a chain spec: how a chain begins, with the runtime that it begins with.
type Spec struct {
	Name   string
	ID     string
	Stored map[string][]byte // in block 0, by key
}

// SpecError says why a chain spec cannot be used.
type SpecError struct {
	Reason string
	Err    error
}

func (e *SpecError) Error() string {
	if e.Err != nil {
		return e.Reason + ": " + e.Err.Error()
	}
	return e.Reason
}

func (e *SpecError) Unwrap() error { return e.Err }

// specFile is the part of a chain spec that counts here (Substrate, client/
// chain-spec/src/chain_spec.rs): a raw state, or code and a description from which
// that code builds its state.
type specFile struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Genesis struct {
		Raw *struct {
			Top map[string]string `json:"top"`
		} `json:"raw"`
		Runtime *struct {
			Code   string          `json:"code"`
			Config json.RawMessage `json:"config"`
			Patch  json.RawMessage `json:"patch"`
		} `json:"runtimeGenesis"`
	} `json:"genesis"`
}

// ReadSpec reads a chain spec, raw or plain. The state of a plain one is built by
// its own code ([GenesisBuilder]). Errors: *SpecError, and those of package executor.
//
// [GenesisBuilder]: https://paritytech.github.io/polkadot-sdk/master/sp_genesis_builder/trait.GenesisBuilder.html
func ReadSpec(ctx context.Context, r io.Reader) (*Spec, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSpec+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxSpec {
		return nil, &SpecError{Reason: fmt.Sprintf("it has more than %d MiB", maxSpec>>20)}
	}
	var file specFile
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, &SpecError{"it is no chain spec", err}
	}
	s := &Spec{Name: file.Name, ID: file.ID}
	switch {
	case file.Genesis.Raw != nil:
		s.Stored, err = rawState(file.Genesis.Raw.Top)
	case file.Genesis.Runtime != nil:
		s.Stored, err = buildState(ctx, file.Genesis.Runtime.Code, file.Genesis.Runtime.Config, file.Genesis.Runtime.Patch)
	default:
		err = &SpecError{Reason: `it is no chain spec: it has neither "genesis.raw" nor "genesis.runtimeGenesis"`}
	}
	if err == nil && len(s.Stored[codeKey]) == 0 {
		err = &SpecError{Reason: "it has no runtime: nothing is stored under :code"}
	}
	return s, err
}

func rawState(top map[string]string) (map[string][]byte, error) {
	stored := make(map[string][]byte, len(top))
	for k, v := range top {
		key, err := unhex(k)
		if err != nil {
			return nil, &SpecError{"a key of its state is not hex", err}
		}
		if stored[string(key)], err = unhex(v); err != nil {
			return nil, &SpecError{fmt.Sprintf("what its state has under %s is not hex", k), err}
		}
	}
	return stored, nil
}

// buildState has code build its state, from a whole description or from what is
// other than in its own.
func buildState(ctx context.Context, codeText string, config, patch json.RawMessage) (map[string][]byte, error) {
	code, err := unhex(codeText)
	if err != nil {
		return nil, &SpecError{"its code is not hex", err}
	}
	r, err := executor.Load(ctx, code)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	empty := newState(nil)
	if config == nil {
		if config, err = patched(ctx, r, empty, patch); err != nil {
			return nil, err
		}
	}
	res, err := r.Call(ctx, empty, "GenesisBuilder_build_state", append(scale.EncodeCompact(nil, uint64(len(config))), config...))
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(res.Output, []byte{0}) {
		return nil, &SpecError{Reason: fmt.Sprintf("its runtime does not build its state: %q", res.Output[min(2, len(res.Output)):])}
	}
	stored := map[string][]byte{codeKey: code}
	for _, c := range res.Changes {
		stored[string(c.Key)] = c.Value
	}
	return stored, nil
}

// patched is the runtime's own description of a genesis, changed by a JSON merge
// patch.
func patched(ctx context.Context, r *executor.Runtime, empty *state, patch []byte) ([]byte, error) {
	res, err := r.Call(ctx, empty, "GenesisBuilder_get_preset", []byte{0}) // None: the default
	if err != nil {
		return nil, err
	}
	if len(res.Output) == 0 || res.Output[0] != 1 {
		return nil, &SpecError{Reason: "its runtime has no description of a genesis that it could patch"}
	}
	_, preset, err := scale.DecodeCompact(res.Output[1:])
	if err != nil {
		return nil, &SpecError{"its runtime's description of a genesis", err}
	}
	var base, over any
	if err := errors.Join(exact(preset, &base), exact(patch, &over)); err != nil {
		return nil, &SpecError{"its patch", err}
	}
	return json.Marshal(merged(base, over))
}

// exact reads JSON and keeps numbers as they are written: amounts are larger than
// what a float holds.
func exact(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	return d.Decode(into)
}

// merged is a JSON merge patch (RFC 7396).
func merged(base, patch any) any {
	over, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	out, ok := base.(map[string]any)
	if !ok {
		out = map[string]any{}
	}
	for k, v := range over {
		if out[k] = merged(out[k], v); v == nil {
			delete(out, k)
		}
	}
	return out
}

// Real is the engine of chains that bring their own runtime: it runs the code that
// the state holds. It keeps what it loaded until it is closed.
type Real struct {
	mu     sync.Mutex
	loaded []loaded // a chain has one, and one more for each upgrade
}

type loaded struct {
	code    []byte
	runtime *executor.Runtime
}

// NewReal makes an engine that has nothing loaded yet.
func NewReal() *Real { return new(Real) }

// Call runs a method of the code in s.
func (e *Real) Call(ctx context.Context, s executor.Storage, method string, input []byte) (executor.Result, error) {
	code, _, err := s.Get(ctx, []byte(codeKey))
	if err != nil {
		return executor.Result{}, err
	}
	r, err := e.load(ctx, code)
	if err != nil {
		return executor.Result{}, err
	}
	return r.Call(ctx, s, method, input)
}

func (e *Real) load(ctx context.Context, code []byte) (*executor.Runtime, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, l := range e.loaded {
		if same(l.code, code) {
			return l.runtime, nil
		}
	}
	r, err := executor.Load(context.WithoutCancel(ctx), code)
	if err != nil {
		return nil, err
	}
	e.loaded = append(e.loaded, loaded{code, r})
	return r, nil
}

// Close frees what was loaded.
func (e *Real) Close() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	var errs []error
	for _, l := range e.loaded {
		errs = append(errs, l.runtime.Close())
	}
	e.loaded = nil
	return errors.Join(errs...)
}
