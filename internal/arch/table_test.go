package arch

// pkg is what the design says about one package: docs/design.md, "Packages".
type pkg struct {
	may  []string // the packages of this module it may import; "*" is any
	why  string   // why no others
	test bool     // only tests may import it
}

var leaf = "it is useful by itself and can be tested by itself only while it knows nothing of ours"

const domain = "a domain turns an intent into a plan from one view; it holds no key, asks nobody, and no domain needs another"

// packages is the import table. A new package needs a row here and in
// docs/design.md.
var packages = map[string]pkg{
	"tao":                    {why: "values have no world: " + leaf},
	"scale":                  {why: "the codec is told everything by metadata: " + leaf},
	"chain":                  {may: []string{"tao", "scale", "internal/atomicfile"}, why: "reading a node needs neither keys nor policy"},
	"tx":                     {may: []string{"tao", "scale", "chain", "internal/atomicfile"}, why: "the road is the same whoever signs and whatever is planned: no keystore, no domain, no terminal"},
	"balance":                {may: []string{"tao", "scale", "chain", "tx"}, why: domain},
	"stake":                  {may: []string{"tao", "scale", "chain", "tx", "subnet"}, why: domain},
	"policy":                 {may: []string{"tao", "chain", "internal/strictyaml"}, why: "limits hold for calls, whoever plans them"},
	"subnet":                 {may: []string{"tao", "scale", "chain"}, why: "what a subnet is can be read without a plan: domains build on it"},
	"register":               {may: []string{"tao", "scale", "chain", "tx", "powsolver"}, why: domain},
	"governance":             {may: []string{"tao", "scale", "chain", "tx"}, why: domain},
	"executor":               {why: "it runs code over any storage: " + leaf},
	"simulate":               {may: []string{"tao", "scale", "chain", "tx", "executor", "internal/atomicfile"}, why: "what a transaction would do is found by running it: no domain, no key, no terminal"},
	"devnet":                 {may: []string{"tao", "scale", "chain", "executor"}, why: "a chain knows no wallet, no plan and no command: what it takes is an extrinsic"},
	"devnet/embedded":        {may: []string{"tao", "scale", "executor"}, why: "a runtime knows states and bytes: the chain around it is another matter"},
	"keystore":               {may: []string{"tao", "internal/atomicfile", "keystore/internal/kdf"}, why: "secrets stay where no network, chain or prompt can reach them"},
	"keystore/internal/kdf":  {why: "the cost of a derivation is nobody else's business"},
	"keystore/keystoretest":  {may: []string{"keystore/internal/kdf"}, why: "it weakens derivation for tests and does nothing else", test: true},
	"agent":                  {may: []string{"tao", "keystore"}, why: "it holds keys for its user, and knows neither what is signed nor who asks on which terminal"},
	"powsolver":              {why: "a search knows numbers: " + leaf},
	"powsolver/remote":       {may: []string{"powsolver"}, why: "what speaks with a process of drivers knows the puzzle and nothing else: no key, no terminal"},
	"powsolver/remotetest":   {may: []string{"powsolver", "powsolver/remote"}, why: "it plays the other program for tests and does nothing else", test: true},
	"powsolver/opencl":       {may: []string{"powsolver"}, why: "what loads drivers of strangers knows the puzzle and nothing else"},
	"cmd":                    {may: []string{"tao", "scale", "chain", "tx", "balance", "stake", "subnet", "register", "governance", "policy", "executor", "simulate", "devnet", "devnet/embedded", "keystore", "agent", "powsolver", "powsolver/remote", "internal/term", "internal/view", "internal/printable", "internal/atomicfile", "internal/strictyaml"}, why: "it ties everything together, and is the only one that does"},
	"cmd/taoctl":             {may: []string{"cmd", "internal/harden", "internal/term"}, why: "main holds the real environment and nothing that needs a test"},
	"cmd/taoctl-opencl":      {may: []string{"powsolver", "powsolver/opencl", "powsolver/remote"}, why: "drivers of strangers run in its process: no key, no wallet and no network may be there"},
	"internal/term":          {may: []string{"internal/printable"}, why: leaf},
	"internal/term/termtest": {why: leaf, test: true},
	"internal/view":          {may: []string{"internal/printable"}, why: leaf},
	"internal/printable":     {why: leaf},
	"internal/harden":        {why: leaf},
	"internal/gendocs":       {may: []string{"cmd"}, why: "it is a program of its own that writes down the command tree"},
	"internal/strictyaml":    {why: "it reads any file"},
	"internal/atomicfile":    {why: leaf},
	"internal/fixture":       {why: leaf, test: true},
	"internal/declared":      {may: []string{"scale", "internal/fixture"}, why: "metadata are types and names: a node that speaks them is another matter", test: true},
	"internal/scripttest":    {may: []string{"internal/term/termtest"}, why: "the words of test scripts know the program from outside", test: true},
	"internal/testnode":      {may: []string{"tao", "scale", "chain", "internal/fixture", "internal/declared"}, why: "a node knows no wallet, no plan and no command", test: true},
	"internal/arch":          {why: "it reads sources as text"},
	"e2e":                    {may: []string{"*"}, why: "it is a test, and so are the folders below it", test: true},
}

// library is what is said about a package from outside, or a name in one.
type library struct {
	by  []string // which packages may use it, besides those for tests
	why string
}

// libraries lists every third-party package that non-test files import, by
// prefix. docs/dependencies.md says more about each.
var libraries = map[string]library{
	"github.com/spf13/cobra":                    {[]string{"cmd", "internal/gendocs"}, "commands and flags stop at cmd"},
	"github.com/coder/websocket":                {[]string{"chain", "devnet"}, "one package talks to the network, and one answers on loopback"},
	"github.com/tidwall/btree":                  {[]string{"devnet"}, "the states of a chain, which share what stays the same"},
	"github.com/ChainSafe/go-schnorrkel":        {[]string{"keystore", "executor", "devnet/embedded"}, "one package holds keys; a runtime checks signatures, or has its host do it"},
	"github.com/cosmos/go-bip39":                {[]string{"keystore"}, "one package knows mnemonics"},
	"github.com/fernet/fernet-go":               {[]string{"keystore"}, "one package opens key files"},
	"github.com/gofrs/flock":                    {[]string{"keystore", "tx", "agent", "policy", "internal/atomicfile"}, "what processes share: keys, the journal, the spending ledger, and the agent's socket"},
	"github.com/decred/base58":                  {[]string{"tao", "keystore"}, "tao parses addresses of this chain; key files may carry those of others"},
	"github.com/vedhavyas/go-subkey/v2":         {[]string{"tao"}, "addresses; derivation wipes what it no longer needs, which go-subkey cannot"},
	"github.com/jedib0t/go-pretty/v6":           {[]string{"internal/view", "internal/term"}, "one package formats; the terminal measures text"},
	"github.com/manifoldco/promptui":            {[]string{"internal/term"}, "one package talks to a person"},
	"github.com/mdp/qrterminal/v3":              {[]string{"internal/view"}, "one package formats"},
	"github.com/cespare/xxhash/v2":              {[]string{"scale", "executor"}, "the hash of storage keys, which runtimes ask of their host"},
	"github.com/zalando/go-keyring":             {[]string{"cmd"}, "one place chooses where a password comes from"},
	"golang.org/x/term":                         {[]string{"internal/term", "cmd/taoctl"}, "one package talks to a person"},
	"golang.org/x/crypto":                       {[]string{"tao", "keystore", "keystore/internal/kdf", "scale", "chain", "tx", "governance", "powsolver", "executor", "simulate", "devnet", "devnet/embedded"}, "hashes, and what key files are sealed with"},
	"golang.org/x/sys":                          {[]string{"internal/harden", "internal/term", "internal/atomicfile", "keystore", "agent", "powsolver", "powsolver/opencl", "cmd/taoctl-opencl"}, "what the system alone can do: terminals, folders, memory, processors, who a peer is"},
	"github.com/ebitengine/purego":              {[]string{"powsolver/opencl"}, "it makes a program dynamic, and what it loads is not ours: never in taoctl itself"},
	"github.com/tetratelabs/wazero":             {[]string{"executor"}, "one package runs WebAssembly"},
	"github.com/klauspost/compress":             {[]string{"executor"}, "chains compress their code"},
	"github.com/decred/dcrd/dcrec/secp256k1/v4": {[]string{"executor"}, "recovering keys from signatures, which runtimes ask of their host; nothing is signed with it"},
	"github.com/spf13/pflag":                    {nil, "tests only"},
	"go.yaml.in/yaml/v3":                        {[]string{"internal/strictyaml"}, "files that people write"},
	"github.com/creack/pty":                     {nil, "tests only"},
	"github.com/rogpeppe/go-internal":           {nil, "tests only"},
}

// standard lists packages of the standard library that few may import.
var standard = map[string]library{
	"C":            {nil, "the program is one static binary for every system"},
	"log":          {nil, "a library returns errors; commands return values"},
	"log/slog":     {nil, "a library returns errors; commands return values"},
	"math/rand":    {nil, "what is random here must be unpredictable: crypto/rand"},
	"math/rand/v2": {nil, "what is random here must be unpredictable: crypto/rand"},
	"unsafe":       {[]string{"powsolver", "powsolver/opencl", "keystore/internal/kdf"}, "only where speed is the purpose"},
	"net/http":     {[]string{"chain", "devnet"}, "one package talks to the network, and one answers on loopback"},
	"net":          {[]string{"chain", "agent", "devnet"}, "one package talks to the network, one to processes of the same user, and one answers on loopback"},
	"os/exec":      {[]string{"cmd", "powsolver/remote"}, "a password command is cmd's, and devices work in processes that hold no key; secrets never travel by argument"},
	"testing":      {nil, "the program links no test code"},
	"os/signal":    {[]string{"cmd/taoctl", "cmd/taoctl-opencl", "internal/term"}, "signals end the program, or a question"},
}

// names lists identifiers of other packages that few may use: os.Stdout.
var names = map[string]library{
	"fmt.Print":          {nil, "commands return values; only internal/view formats"},
	"fmt.Printf":         {nil, "commands return values; only internal/view formats"},
	"fmt.Println":        {nil, "commands return values; only internal/view formats"},
	"os.Stdout":          {[]string{"cmd/taoctl", "cmd/taoctl-opencl"}, "the environment comes from main, so that tests can give another"},
	"os.Stderr":          {[]string{"cmd/taoctl", "cmd/taoctl-opencl", "internal/gendocs", "cmd"}, "the environment comes from main, so that tests can give another; only the child that cmd starts for a password gets it as it is"},
	"os.Stdin":           {[]string{"cmd/taoctl", "cmd/taoctl-opencl"}, "the environment comes from main, so that tests can give another"},
	"os.Exit":            {[]string{"cmd/taoctl", "cmd/taoctl-opencl", "internal/gendocs"}, "a function that exits cannot be tested and skips every deferred wipe"},
	"os.Args":            {[]string{"cmd/taoctl", "cmd/taoctl-opencl", "internal/gendocs"}, "the environment comes from main, so that tests can give another"},
	"os.Getenv":          {[]string{"cmd/taoctl"}, "settings are read in one place, which remembers where each came from"},
	"os.LookupEnv":       {[]string{"cmd/taoctl"}, "settings are read in one place, which remembers where each came from"},
	"context.Background": {[]string{"cmd/taoctl", "cmd/taoctl-opencl", "cmd"}, "whoever waits must be able to stop waiting"},
	"context.TODO":       {nil, "whoever waits must be able to stop waiting"},
	"time.Sleep":         {nil, "wait for what happens, and stop when the context does"},
}

// noFloats lists the packages in which amounts are computed.
var noFloats = []string{"tao", "scale", "chain", "tx", "balance", "stake", "subnet", "register", "governance", "policy", "executor", "simulate", "keystore", "cmd"}

// changing lists package variables that may change, with the reason.
var changing = map[string]string{
	"keystore/internal/kdf.weak": "tests alone set it, through keystore/keystoretest",
}
