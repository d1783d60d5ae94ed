package chain_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/testnode"
)

// fetches tells how often a new client asked the node for metadata.
func fetches(t *testing.T, n *testnode.Node, dir string) int {
	t.Helper()
	before := n.Calls("state_call")
	c, err := chain.NewClient(t.Context(), n.Transport(), chain.WithCache(dir))
	if err != nil {
		t.Fatal(err)
	}
	view(t, c, chain.Best())
	return n.Calls("state_call") - before
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCache(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "metadata")
	n := testnode.New(t, testnode.Config{})
	if fetches(t, n, dir) == 0 || fetches(t, n, dir) != 0 {
		t.Fatal("the cache was not used")
	}
	path := files(t, dir)[0]
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	flipped := append([]byte(nil), good...)
	flipped[len(flipped)/2] ^= 1
	for name, content := range map[string][]byte{"empty": {}, "short": good[:10], "cut off": good[:len(good)/2], "one bit": flipped} {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if fetches(t, n, dir) == 0 {
			t.Errorf("%s: a damaged file was used", name)
		}
		if fetches(t, n, dir) != 0 {
			t.Errorf("%s: a damaged file was not replaced", name)
		}
	}
}

// Other chains and other code never share a file; unknown code has none.
func TestCacheTellsApart(t *testing.T) {
	dir := t.TempDir()
	fetches(t, testnode.New(t, testnode.Config{}), dir)
	if fetches(t, testnode.New(t, testnode.Config{Salt: "other"}), dir) == 0 {
		t.Error("two chains share a file")
	}
	if fetches(t, testnode.New(t, testnode.Config{Metadata: "devnet-240-v15"}), dir) == 0 {
		t.Error("two runtimes share a file")
	}
	before := len(files(t, dir))
	fetches(t, testnode.New(t, testnode.Config{Metadata: "devnet-240-v15", NoCode: true, Salt: "no code"}), dir)
	if len(files(t, dir)) != before {
		t.Error("a runtime whose code is unknown was kept")
	}
}

func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(own, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for i := range 11 {
		fetches(t, testnode.New(t, testnode.Config{Metadata: "testfinney-103-v14", Salt: fmt.Sprint(i)}), dir)
	}
	if got := len(files(t, dir)); got != 9 { // 8 and the stranger
		t.Errorf("%d files", got)
	}
	if _, err := os.Stat(own); err != nil {
		t.Error("a stranger's file was removed")
	}
}

func TestCacheThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if fetches(t, testnode.New(t, testnode.Config{}), file) == 0 {
		t.Error("metadata came from nowhere")
	}
}
