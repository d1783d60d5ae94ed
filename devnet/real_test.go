package devnet_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/devnet"
)

// BenchmarkReal starts chains of real runtimes and makes empty blocks with them;
// $TAOCTL_CHAINSPECS names a folder with chain specs.
func BenchmarkReal(b *testing.B) {
	paths, err := filepath.Glob(filepath.Join(os.Getenv("TAOCTL_CHAINSPECS"), "*.json"))
	if err != nil || len(paths) == 0 || os.Getenv("TAOCTL_CHAINSPECS") == "" {
		b.Skip("$TAOCTL_CHAINSPECS names no folder with chain specs")
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		b.Run(name+"/start", func(b *testing.B) {
			for b.Loop() {
				_ = real(b, path).Close()
			}
		})
		b.Run(name+"/block", func(b *testing.B) {
			net := real(b, path)
			for b.Loop() {
				if _, err := net.Build(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func real(b *testing.B, path string) *devnet.Chain {
	b.Helper()
	file, err := os.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	defer file.Close()
	spec, err := devnet.ReadSpec(b.Context(), file)
	if err != nil {
		b.Fatal(err)
	}
	engine := devnet.NewReal()
	b.Cleanup(func() { _ = engine.Close() })
	if err := spec.Open(b.Context(), engine); err != nil {
		b.Fatal(err)
	}
	net, err := devnet.New(b.Context(), engine, spec.Stored, devnet.Options{Manual: true})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = net.Close() })
	return net
}
