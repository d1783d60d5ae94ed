package simulate

import (
	"bufio"
	"bytes"
	"context"
	"encoding/hex"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/tao"
)

// maxRecalled bounds the keys that are kept for a runtime, and so what is asked
// of a node in vain.
const maxRecalled = 512

// memory is a file with the storage keys that the last simulations on a runtime
// read, in hex, the newest first. A runtime reads key after key, and each is a
// request of its own; those of the last time are fetched in one. Only keys are
// kept, never values. All its errors are misses: it saves time and may never
// cost an outcome.
type memory struct{ path string }

// memoryOf is that of a runtime. What a whole block reads is too much to keep.
func memoryOf(o Options, code tao.Hash) memory {
	if o.Cache == "" || o.Block {
		return memory{}
	}
	return memory{filepath.Join(o.Cache, hex.EncodeToString(code[:])+".keys")}
}

// recall fetches what was read the last times.
func (m memory) recall(ctx context.Context, f *fork) {
	if keys := m.keys(); len(keys) > 0 {
		_ = f.fetch(ctx, keys) // if not, each is fetched when it is asked for
	}
}

func (m memory) keys() [][]byte {
	if m.path == "" {
		return nil
	}
	text, err := os.ReadFile(m.path)
	if err != nil {
		return nil
	}
	var keys [][]byte
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan() && len(keys) < maxRecalled; {
		if key, err := hex.DecodeString(lines.Text()); err == nil && len(key) > 0 {
			keys = append(keys, key)
		}
	}
	return keys
}

// keep writes down what was read, before what was read earlier.
func (m memory) keep(f *fork) {
	if m.path == "" {
		return
	}
	f.mu.Lock()
	var keys [][]byte
	for _, k := range slices.Sorted(maps.Keys(f.used)) {
		if k != codeKey { // it lies in a file of its own
			keys = append(keys, []byte(k))
		}
	}
	for _, k := range m.keys() {
		if !f.used[string(k)] {
			keys = append(keys, k)
		}
	}
	f.mu.Unlock()
	var text bytes.Buffer
	for _, k := range keys[:min(len(keys), maxRecalled)] {
		text.WriteString(hex.EncodeToString(k) + "\n")
	}
	if os.MkdirAll(filepath.Dir(m.path), 0o700) == nil {
		_ = atomicfile.Write(m.path, text.Bytes(), 0o600)
		prune(filepath.Dir(m.path))
	}
}

// maxKept bounds the files of each kind in the folder; a chain replaces its code
// every few weeks.
const maxKept = 8

// prune removes the files that were written longest ago. A list of keys is
// written at each use, code once: it is fetched again.
func prune(folder string) {
	for _, kind := range []string{"*.wasm", "*.keys"} {
		files, err := filepath.Glob(filepath.Join(folder, kind))
		if err != nil || len(files) <= maxKept {
			continue
		}
		age := map[string]time.Time{}
		for _, f := range files {
			if info, err := os.Stat(f); err == nil {
				age[f] = info.ModTime()
			}
		}
		slices.SortFunc(files, func(a, b string) int { return age[b].Compare(age[a]) })
		for _, f := range files[maxKept:] {
			_ = os.Remove(f)
		}
	}
}
