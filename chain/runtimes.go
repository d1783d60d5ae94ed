package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// codeKey is the storage key of the runtime's WebAssembly, ":code" (Substrate,
// primitives/storage/src/lib.rs, well_known_keys::CODE).
const codeKey = "0x3a636f6465"

// Spec is a runtime's identity. The version numbers do not identify it alone:
// two runtimes of Bittensor are spec 218. Code does, where it is known.
type Spec struct {
	Name        string // "node-subtensor"
	SpecVersion uint32
	ImplVersion uint32
	TxVersion   uint32
	Code        tao.Hash // blake2-256 of the WebAssembly; zero where the node does not tell
}

// String prints name and version: "node-subtensor 393".
func (s Spec) String() string { return fmt.Sprintf("%s %d", s.Name, s.SpecVersion) }

func (s *Spec) UnmarshalJSON(b []byte) error {
	var raw struct {
		Name        string  `json:"specName"`
		SpecVersion *uint32 `json:"specVersion"`
		ImplVersion uint32  `json:"implVersion"`
		TxVersion   *uint32 `json:"transactionVersion"`
	}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	if raw.SpecVersion == nil || raw.TxVersion == nil {
		return errors.New("runtime version lacks specVersion or transactionVersion")
	}
	*s = Spec{Name: raw.Name, SpecVersion: *raw.SpecVersion, ImplVersion: raw.ImplVersion, TxVersion: *raw.TxVersion}
	return nil
}

// runtimes keeps each runtime once for a client. Where the node does not tell
// the hash of the code, the key is the version numbers: good enough for the
// life of one client, not for a disk that several chains share.
type runtimes struct {
	transport Transport
	disk      *diskCache

	mu    sync.Mutex
	held  map[Spec]*loading
	specs map[tao.Hash]Spec // by block, which never changes its runtime
}

const maxSpecs = 1024 // blocks remembered

// loading is one runtime, fetched once however many ask at the same time.
type loading struct {
	mu sync.Mutex
	rt *Runtime
}

func newRuntimes(t Transport, disk *diskCache) *runtimes {
	return &runtimes{transport: t, disk: disk, held: map[Spec]*loading{}, specs: map[tao.Hash]Spec{}}
}

// at returns the runtime that rules after a block, and so notices an upgrade.
func (r *runtimes) at(ctx context.Context, block tao.Hash) (*Runtime, error) {
	spec, err := r.spec(ctx, block)
	if err != nil {
		return nil, err
	}
	l := r.entry(spec)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rt == nil {
		if l.rt, err = r.load(ctx, block, spec); err != nil {
			return nil, err
		}
	}
	return l.rt, nil
}

func (r *runtimes) entry(spec Spec) *loading {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.held[spec]
	if l == nil {
		l = &loading{}
		r.held[spec] = l
	}
	return l
}

// spec tells the identity of the runtime after a block, and asks once for each.
func (r *runtimes) spec(ctx context.Context, block tao.Hash) (Spec, error) {
	r.mu.Lock()
	spec, known := r.specs[block]
	r.mu.Unlock()
	if known {
		return spec, nil
	}
	spec, err := r.readSpec(ctx, block)
	if err != nil {
		return Spec{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.specs) >= maxSpecs {
		clear(r.specs)
	}
	r.specs[block] = spec
	return spec, nil
}

// readSpec reads a runtime's identity: two questions at once.
func (r *runtimes) readSpec(ctx context.Context, block tao.Hash) (Spec, error) {
	var (
		both sync.WaitGroup
		spec *Spec
		code tao.Hash
		sErr error
		cErr error
	)
	both.Go(func() { sErr = r.transport.Call(ctx, &spec, "state_getRuntimeVersion", block) })
	both.Go(func() { code, cErr = r.code(ctx, block) })
	both.Wait()
	switch {
	case sErr != nil:
		return Spec{}, fmt.Errorf("read the runtime version: %w", sErr)
	case spec == nil:
		return Spec{}, &ReplyError{Method: "state_getRuntimeVersion", Reason: "it is null"}
	case cErr != nil:
		return Spec{}, cErr
	}
	spec.Code = code
	return *spec, nil
}

// code reads the hash of the runtime's code, or zero where the node does not
// serve it (Chopsticks answers -32601).
func (r *runtimes) code(ctx context.Context, block tao.Hash) (tao.Hash, error) {
	var hash tao.Hash
	err := r.transport.Call(ctx, &hash, "state_getStorageHash", codeKey, block)
	var rpc *RPCError
	if errors.As(err, &rpc) {
		return tao.Hash{}, nil
	}
	if err != nil {
		return hash, fmt.Errorf("read the hash of the runtime's code: %w", err)
	}
	return hash, nil
}

// load takes metadata from the disk or the node.
func (r *runtimes) load(ctx context.Context, block tao.Hash, spec Spec) (*Runtime, error) {
	if m := r.disk.get(spec); m != nil {
		return NewRuntime(spec, m), nil
	}
	blob, err := fetchMetadata(ctx, r.transport, block)
	if err != nil {
		return nil, fmt.Errorf("read the metadata of %s: %w", spec, err)
	}
	m, err := scale.ParseMetadata(blob)
	if err != nil {
		return nil, &ReplyError{Method: "a request for the metadata of " + spec.String(), Reason: err.Error()}
	}
	r.disk.put(spec, blob)
	return NewRuntime(spec, m), nil
}

// The metadata versions that package scale reads. Higher ones say more: 15
// brings the types of runtime APIs, 16 the versions of extrinsics and the
// deprecation of calls.
const (
	oldestVersion = 14
	newestVersion = 16
)

// fetchMetadata asks for the newest version that both sides know. Runtimes
// before spec 149 have no such API, and serve version 14 alone.
func fetchMetadata(ctx context.Context, t Transport, block tao.Hash) ([]byte, error) {
	version, err := servedVersion(ctx, t, block)
	if err != nil {
		return nil, err
	}
	if version < oldestVersion {
		var blob hexBytes
		err := t.Call(ctx, &blob, "state_getMetadata", block)
		return blob, err
	}
	const name = "Metadata_metadata_at_version"
	out, err := stateCall(ctx, t, block, name, []byte{version, 0, 0, 0})
	if err != nil {
		return nil, err
	}
	// Option<OpaqueMetadata>: 1, and the blob as a byte vector.
	if len(out) == 0 || out[0] != 1 {
		return nil, &ReplyError{Method: name, Reason: fmt.Sprintf("it has no metadata %d", version)}
	}
	size, blob, err := scale.DecodeCompact(out[1:])
	if err != nil || size != uint64(len(blob)) {
		return nil, &ReplyError{Method: name, Reason: "its length is not what it says"}
	}
	return blob, nil
}

// servedVersion is the newest metadata version that the node has and we read,
// or 0 where it cannot say.
func servedVersion(ctx context.Context, t Transport, block tao.Hash) (uint8, error) {
	const name = "Metadata_metadata_versions"
	out, err := stateCall(ctx, t, block, name, nil)
	var rpc *RPCError
	if errors.As(err, &rpc) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	n, list, err := scale.DecodeCompact(out)
	if err != nil || uint64(len(list)) != 4*n {
		return 0, &ReplyError{Method: name, Reason: "it is no list of versions"}
	}
	var newest uint8
	for ; len(list) > 0; list = list[4:] {
		// Nodes also list unstable metadata, as 0xffffffff.
		v := uint32(list[0]) | uint32(list[1])<<8 | uint32(list[2])<<16 | uint32(list[3])<<24
		if v <= newestVersion && uint8(v) > newest {
			newest = uint8(v)
		}
	}
	return newest, nil
}
