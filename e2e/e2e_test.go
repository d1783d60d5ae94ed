//go:build e2e && unix

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/taoctl/taoctl/internal/scripttest"
)

const scripts = "testdata/script"

// specsVar names the chain specs to test on: files and folders, as in $PATH.
const specsVar = "TAOCTL_CHAINSPECS"

// TestScripts runs every script on every chain, under every node that can run it.
// The chains of a node run beside each other, the scripts of one chain after one
// another, each from the chain's first block.
func TestScripts(t *testing.T) {
	specs := findSpecs(t)
	requireLocalnet(t)
	bin := build(t)
	for _, n := range nodes() {
		t.Run(n.name, func(t *testing.T) {
			for _, spec := range n.chains(specs) {
				t.Run(specName(spec), func(t *testing.T) {
					t.Parallel()
					runScripts(t, n.start(t, bin, spec), bin)
				})
			}
		})
	}
}

func runScripts(t *testing.T, c *chain, bin string) {
	p := testscript.Params{
		Setup:               func(e *testscript.Env) error { return setup(e, c, bin) },
		Condition:           conditions(c, bin),
		Cmds:                commands(),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
	}
	for _, script := range findScripts(t) {
		p.Files = []string{script}
		p.Deadline = time.Now().Add(scriptTimeout)
		testscript.RunT(sequential{t}, p)
	}
}

// conditions are the chain's, and opencl: whether a driver offers a device.
func conditions(c *chain, bin string) func(string) (bool, error) {
	return func(cond string) (bool, error) {
		if cond != "opencl" {
			return c.condition(cond)
		}
		out, err := exec.Command(filepath.Join(bin, "taoctl"), "pow", "devices", "--template", "{{range .opencl.devices}}{{.name}}{{end}}").Output()
		return strings.TrimSpace(string(out)) != "", err
	}
}

// scriptTimeout ends a script that hangs, say at a question nobody answers; the
// slowest takes half a minute.
const scriptTimeout = 3 * time.Minute

func findScripts(t *testing.T) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(scripts, "*.txtar"))
	if err != nil || len(list) == 0 {
		t.Fatalf("no scripts in %s: %v", scripts, err)
	}
	return list
}

// findSpecs lists the chain specs. Without the variable the test is skipped, and
// says so; with it, finding none is a failure: someone expects them to be tested.
func findSpecs(t *testing.T) []string {
	t.Helper()
	list := os.Getenv(specsVar)
	if list == "" {
		t.Skipf("SKIPPED, nothing was tested on a real runtime: $%s names no chain spec (see e2e/README.md)", specsVar)
	}
	var specs []string
	for _, root := range filepath.SplitList(list) {
		err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && slices.Contains([]string{".json", ".wasm"}, filepath.Ext(path)) {
				specs = append(specs, path)
			}
			return err
		})
		if err != nil {
			t.Fatalf("$%s: %v", specsVar, err)
		}
	}
	if len(specs) == 0 {
		t.Fatalf("$%s is %q, where no .json or .wasm file lies", specsVar, list)
	}
	return specs
}

func specName(path string) string {
	name := filepath.Base(path)
	return name[:len(name)-len(filepath.Ext(name))]
}

// requireLocalnet fails when what starts a chain is not installed: the specs are
// there, so a skip would be a silent gap.
func requireLocalnet(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("node"); err != nil {
		t.Fatalf("$%s is set, but Node.js is not installed: %v", specsVar, err)
	}
	if _, err := os.Stat("localnet/node_modules/@acala-network/chopsticks"); err != nil {
		t.Fatalf("$%s is set, but the local chain is not installed: run npm ci in e2e/localnet (%v)", specsVar, err)
	}
}

// build makes the binaries as they are released, without cgo, and returns their
// folder.
func build(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command("go", "build", "-o", dir+string(filepath.Separator), "../cmd/taoctl", "../cmd/taoctl-opencl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building taoctl: %v\n%s", err, out)
	}
	return dir
}

// steady holds the price of a registration at 1 TAO, as localnet does, and the
// pools as trades leave them.
var steady = json.RawMessage(`{"SubtensorModule": {"BlockEmission": 0, "Burn": [[[1], 1000000000]], "MinBurn": [[[1], 1000000000]], "MaxBurn": [[[1], 1000000000]]}}`)

// setup gives a script a home of its own, the binary, and a chain at its start.
// testscript passes no variable of ours on but $PATH, so no setting of the person
// who runs the tests gets in.
func setup(e *testscript.Env, c *chain, bin string) error {
	if err := c.reset(e.T().(sequential).Context()); err != nil {
		return err
	}
	if c.steady {
		// A script knows what a registration costs; here the price moves otherwise.
		if _, err := c.call(e.T().(sequential).Context(), "dev_setStorage", steady); err != nil {
			return err
		}
	}
	home := filepath.Join(e.WorkDir, "home")
	if err := os.Mkdir(home, 0o700); err != nil {
		return err
	}
	inspect, err := filepath.Abs("localnet/inspect.mjs")
	if err != nil {
		return err
	}
	e.Setenv("HOME", home)
	e.Setenv("PATH", bin+string(os.PathListSeparator)+e.Getenv("PATH"))
	e.Setenv("URL", c.URL)
	e.Setenv("BT_NETWORK", c.URL) // what taoctl uses without --network
	e.Setenv("GENESIS", c.Genesis)
	e.Setenv("SPEC_VERSION", fmt.Sprint(c.Spec))
	e.Setenv("TX_VERSION", fmt.Sprint(c.Tx))
	e.Setenv("INSPECT", inspect)
	for name, address := range c.Accounts {
		e.Setenv(name, address)
	}
	e.Values[sessionKey{}] = newSession(c, e)
	scripttest.Setup(e, e.T().(sequential), nil)
	return nil
}

// sequential runs subtests one after another: the scripts of a chain share it.
type sequential struct{ *testing.T }

func (sequential) Parallel() {}

func (t sequential) Verbose() bool { return testing.Verbose() }

func (t sequential) Run(name string, f func(testscript.T)) {
	t.T.Run(name, func(t *testing.T) { f(sequential{t}) })
}
