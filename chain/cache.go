package chain

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/crypto/blake2b"

	"github.com/taoctl/taoctl/internal/atomicfile"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

const (
	cacheFiles  = 8         // runtimes kept; the one used longest ago goes first
	cacheSuffix = ".tao-md" // so that nothing else in the folder is ever removed
)

// diskCache keeps metadata between runs, one file for each runtime. A file
// holds the blake2-256 of the blob and the blob. All its errors are misses: it
// saves a second of network and may never cost more.
type diskCache struct {
	dir     string // "" where there is none
	source  string // the endpoints: metadata is believed as far as the node it came from
	genesis tao.Hash
}

// path names the file of a runtime, or "" where the runtime's code is unknown:
// then nothing tells it from another runtime of the same version.
func (d *diskCache) path(spec Spec) string {
	if d.dir == "" || spec.Code.IsZero() {
		return ""
	}
	source := blake2b.Sum256([]byte(d.source))
	name := fmt.Sprintf("%x-%d-%x-%x%s", d.genesis[:8], spec.SpecVersion, spec.Code[:], source[:4], cacheSuffix)
	return filepath.Join(d.dir, name)
}

// get returns a runtime's metadata, or nil.
func (d *diskCache) get(spec Spec) *scale.Metadata {
	path := d.path(spec)
	if path == "" {
		return nil
	}
	file, err := os.ReadFile(path)
	if err != nil || len(file) < blake2b.Size256 {
		return nil
	}
	blob := file[blake2b.Size256:]
	if sum := blake2b.Sum256(blob); !bytes.Equal(sum[:], file[:blake2b.Size256]) {
		return nil
	}
	m, err := scale.ParseMetadata(blob)
	if err != nil {
		return nil
	}
	now := time.Now()
	_ = os.Chtimes(path, now, now) // used last: removed last
	return m
}

// put keeps a runtime's metadata, which has been parsed once already.
func (d *diskCache) put(spec Spec, blob []byte) {
	path := d.path(spec)
	if path == "" || os.MkdirAll(d.dir, 0o700) != nil {
		return
	}
	sum := blake2b.Sum256(blob)
	if atomicfile.Write(path, append(sum[:], blob...), 0o600) == nil {
		d.prune()
	}
}

// prune removes the files that were used longest ago, beyond cacheFiles.
func (d *diskCache) prune() {
	files, err := filepath.Glob(filepath.Join(d.dir, "*"+cacheSuffix))
	if err != nil || len(files) <= cacheFiles {
		return
	}
	used := map[string]time.Time{}
	for _, f := range files {
		if info, err := os.Stat(f); err == nil {
			used[f] = info.ModTime()
		}
	}
	slices.SortFunc(files, func(a, b string) int { return used[b].Compare(used[a]) })
	for _, f := range files[cacheFiles:] {
		_ = os.Remove(f)
	}
}
