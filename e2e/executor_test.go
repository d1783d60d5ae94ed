//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	chains "github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/devnet"
	"github.com/taoctl/taoctl/executor"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
	"github.com/taoctl/taoctl/tx"
)

// genesis is a chain's first state, in memory.
type genesis struct {
	values map[string][]byte
	keys   []string // sorted
}

func (g *genesis) Get(_ context.Context, key []byte) ([]byte, bool, error) {
	v, ok := g.values[string(key)]
	return v, ok, nil
}

func (g *genesis) Next(_ context.Context, key []byte) ([]byte, bool, error) {
	i, found := slices.BinarySearch(g.keys, string(key))
	if found {
		i++
	}
	if i == len(g.keys) {
		return nil, false, nil
	}
	return []byte(g.keys[i]), true, nil
}

func (g *genesis) apply(changes []executor.Change) {
	for _, c := range changes {
		if g.values[string(c.Key)] = c.Value; c.Deleted {
			delete(g.values, string(c.Key))
		}
	}
	g.keys = g.keys[:0]
	for k := range g.values {
		g.keys = append(g.keys, k)
	}
	slices.Sort(g.keys)
}

// realCode is a runtime and the state that its chain begins with.
func realCode(tb testing.TB, path string) (code []byte, state *genesis) {
	tb.Helper()
	file, err := os.Open(path)
	if err != nil {
		tb.Fatal(err)
	}
	defer file.Close()
	spec, err := devnet.ReadSpec(tb.Context(), file)
	if err != nil {
		tb.Fatalf("%s: %v", path, err)
	}
	state = &genesis{values: spec.Stored}
	state.apply(nil)
	return state.values[":code"], state
}

func load(tb testing.TB, code []byte) *executor.Runtime {
	tb.Helper()
	r, err := executor.Load(tb.Context(), code, executor.TrustUnsigned())
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = r.Close() })
	return r
}

func runtimeCall(tb testing.TB, r *executor.Runtime, s executor.Storage, method string, input []byte) executor.Result {
	tb.Helper()
	res, err := r.Call(tb.Context(), s, method, input)
	if err != nil {
		tb.Fatal(err)
	}
	return res
}

// runtimeOf reads a runtime's own metadata through the executor.
func runtimeOf(tb testing.TB, r *executor.Runtime, s executor.Storage) *chains.Runtime {
	tb.Helper()
	_, blob, err := scale.DecodeCompact(runtimeCall(tb, r, s, "Metadata_metadata", nil).Output)
	if err != nil {
		tb.Fatal(err)
	}
	m, err := scale.ParseMetadata(blob)
	if err != nil {
		tb.Fatal(err)
	}
	spec, err := chains.SpecOf(m)
	if err != nil {
		tb.Fatal(err)
	}
	return chains.NewRuntime(spec, m)
}

// funded gives an account a million TAO in the state.
func funded(tb testing.TB, rt *chains.Runtime, s *genesis, a tao.Account) {
	tb.Helper()
	m := rt.Metadata()
	entry := m.Pallet("System").Entry("Account")
	key, err := m.StorageKey(entry, a)
	if err != nil {
		tb.Fatal(err)
	}
	var info any
	if err := m.Decode(entry.Value, entry.Default, &info); err != nil {
		tb.Fatal(err)
	}
	data, _ := info.(*scale.Record).Get("data")
	for i, f := range data.(*scale.Record).Fields {
		if f.Name == "free" {
			data.(*scale.Record).Fields[i].Value = uint64(1e15)
		}
	}
	for i, f := range info.(*scale.Record).Fields {
		if f.Name == "providers" {
			info.(*scale.Record).Fields[i].Value = uint32(1)
		}
	}
	value, err := m.Encode(nil, entry.Value, info)
	if err != nil {
		tb.Fatal(err)
	}
	s.apply([]executor.Change{{Key: key, Value: value}})
}

// transferOf is an extrinsic that moves 1 TAO, with a signature of zeros.
func transferOf(tb testing.TB, rt *chains.Runtime, from, to tao.Account) []byte {
	tb.Helper()
	d, err := tx.PrepareOffline(rt, tx.Plan{Signer: from, Call: chains.Call{Pallet: "Balances", Name: "transfer_keep_alive", Args: chains.Args{"dest": to, "value": uint64(1e9)}}}, tx.Offline{})
	if err != nil {
		tb.Fatal(err)
	}
	x, err := d.Unsigned()
	if err != nil {
		tb.Fatal(err)
	}
	return x.Bytes
}

var alice, bob = tao.Account{1}, tao.Account{2}

// Every runtime at hand is run without a node: it says who it is, describes
// itself byte by byte as its chain does, and moves money.
func TestExecutor(t *testing.T) {
	for _, path := range findSpecs(t) {
		if filepath.Ext(path) != ".json" {
			continue
		}
		t.Run(specName(path), func(t *testing.T) {
			code, state := realCode(t, path)
			r := load(t, code)
			rt := runtimeOf(t, r, state)
			for _, name := range fixture.Names(t) {
				if !strings.HasPrefix(name, specName(path)+"-") || !strings.HasSuffix(name, "v14") {
					continue
				}
				if !bytes.Equal(rt.Metadata().Blob(), fixture.Metadata(t, name)) {
					t.Errorf("its metadata are not those of %s", name)
				}
			}
			funded(t, rt, state, alice)
			transfer := transferOf(t, rt, alice, bob)
			res := runtimeCall(t, r, state, "BlockBuilder_apply_extrinsic", transfer)
			if !bytes.Equal(res.Output, []byte{0, 0}) || len(res.Changes) < 2 {
				t.Errorf("a transfer: %x, %d changes", res.Output, len(res.Changes))
			}
			t.Logf("spec %d: %d methods, a transfer changes %d values", rt.Spec().SpecVersion, len(r.Methods()), len(res.Changes))

			// Without being told to trust, it refuses the signature of zeros.
			strict, err := executor.Load(t.Context(), code)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = strict.Close() }()
			if res := runtimeCall(t, strict, state, "BlockBuilder_apply_extrinsic", transfer); !bytes.Equal(res.Output, []byte{1, 0, 4}) {
				t.Errorf("a transfer that nobody signed: %x, not BadProof", res.Output)
			}
			// What is no extrinsic makes the runtime panic, which is told.
			var trap *executor.TrapError
			if _, err := r.Call(t.Context(), state, "BlockBuilder_apply_extrinsic", []byte{0xff}); !errors.As(err, &trap) || trap.Panic == "" {
				t.Errorf("what is no extrinsic: %v", err)
			}
			// The next call is the first one's again.
			if again := runtimeCall(t, r, state, "BlockBuilder_apply_extrinsic", transfer); !slices.EqualFunc(again.Changes, res.Changes, func(a, b executor.Change) bool {
				return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Value, b.Value) && a.Deleted == b.Deleted
			}) {
				t.Error("the same call has another outcome the second time")
			}
		})
	}
}

func BenchmarkExecutor(b *testing.B) {
	list := os.Getenv(specsVar)
	paths, err := filepath.Glob(filepath.Join(list, "*.json"))
	if err != nil || list == "" || len(paths) == 0 {
		b.Skipf("$%s names no folder with chain specs", specsVar)
	}
	for _, path := range paths {
		code, state := realCode(b, path)
		r := load(b, code)
		rt := runtimeOf(b, r, state)
		funded(b, rt, state, alice)
		transfer := transferOf(b, rt, alice, bob)
		b.Run(specName(path)+"/load", func(b *testing.B) {
			for b.Loop() {
				r, err := executor.Load(b.Context(), code)
				if err != nil {
					b.Fatal(err)
				}
				_ = r.Close()
			}
		})
		for _, c := range []struct {
			method string
			input  []byte
		}{{"Core_version", nil}, {"Metadata_metadata", nil}, {"BlockBuilder_apply_extrinsic", transfer}} {
			b.Run(specName(path)+"/"+c.method, func(b *testing.B) {
				for b.Loop() {
					runtimeCall(b, r, state, c.method, c.input)
				}
			})
		}
	}
}
