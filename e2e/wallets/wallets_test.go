//go:build e2e

package wallets

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

// The phrase and the password are public: never send funds to these keys.
const (
	phrase   = "neither record please project rabbit warfare trouble fiber bless place runway garden"
	password = "testing123!"
	message  = "message"
)

// row is a key's file, and what the other side says of it.
type row struct {
	Tool      string          `json:"tool,omitempty"`
	File      string          `json:"file,omitempty"`
	JSON      json.RawMessage `json:"json,omitempty"`
	Password  string          `json:"password"`
	Public    bool            `json:"public,omitempty"`
	Address   string          `json:"address,omitempty"`
	Scheme    string          `json:"scheme,omitempty"`
	Signature string          `json:"signature,omitempty"`
	Variable  string          `json:"variable,omitempty"`
	Error     string          `json:"error,omitempty"`
}

// missing ends a test that lacks what it needs.
func missing(t *testing.T, format string, args ...any) {
	t.Helper()
	reason := fmt.Sprintf(format, args...)
	if os.Getenv("TAOCTL_E2E_REQUIRE") != "" {
		t.Fatal(reason)
	}
	t.Skip("SKIPPED, nothing was compared: " + reason)
}

// python installs the official wallets into a virtual environment.
func python(t *testing.T) (program string) {
	t.Helper()
	python3, err := exec.LookPath("python3")
	if err != nil {
		missing(t, "there is no python3")
	}
	venv := filepath.Join(t.TempDir(), "venv")
	if out, err := exec.Command(python3, "-m", "venv", venv).CombinedOutput(); err != nil {
		missing(t, "python3 -m venv: %v\n%s", err, out)
	}
	program = filepath.Join(venv, "bin", "python")
	if out, err := exec.Command(program, "-m", "pip", "install", "-q", "--only-binary", ":all:", "-r", "requirements.txt").CombinedOutput(); err != nil {
		missing(t, "pip install -r requirements.txt: %v\n%s", err, out)
	}
	return program
}

// node installs Polkadot-JS beside a copy of the script.
func node(t *testing.T) (script string) {
	t.Helper()
	for _, program := range []string{"node", "npm"} {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, "there is no %s", program)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json", "polkadot.mjs"} {
		data, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), data, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		missing(t, "npm ci: %v\n%s", err, out)
	}
	return filepath.Join(dir, "polkadot.mjs")
}

// ask runs the other side's program on JSON and reads its last line.
func ask(t *testing.T, input any, command ...string) (rows []row) {
	t.Helper()
	in, err := json.Marshal(input)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(in)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(command[1]), err, stderr.String())
	}
	last := out[bytes.LastIndexByte(bytes.TrimSpace(out), '\n')+1:]
	if err := json.Unmarshal(last, &rows); err != nil {
		t.Fatalf("%s said %s", filepath.Base(command[1]), out)
	}
	return rows
}

var given = map[string]string{"phrase": phrase, "password": password}

func unlocker(t *testing.T) *keystore.Unlocker {
	u := keystore.NewUnlocker(func(string) ([]byte, error) { return []byte(password), nil })
	t.Cleanup(u.Wipe)
	return u
}

// check compares an opened key with what the other side said of it.
func check(t *testing.T, k *keystore.Key, r row) {
	t.Helper()
	if k.Account().String() != r.Address || k.Scheme().String() != r.Scheme {
		t.Errorf("here it is %v, there %s %s", k, r.Scheme, r.Address)
	}
	verify(t, k, r.Signature)
	if _, err := k.Sign(t.Context(), []byte(message)); err != nil {
		t.Error(err)
	}
}

func verify(t *testing.T, k *keystore.Key, signature string) {
	t.Helper()
	sig, err := hex.DecodeString(signature)
	if err != nil {
		t.Fatal(err)
	}
	if err := keystore.Verify(k.Account(), []byte(message), tao.Signature{Scheme: k.Scheme(), Bytes: sig}); err != nil {
		t.Errorf("their signature: %v", err)
	}
}

func TestOfficialWallets(t *testing.T) {
	program := python(t)
	u := unlocker(t)
	t.Run("theirs open here", func(t *testing.T) {
		dir := t.TempDir()
		rows := ask(t, given, program, "official.py", "make", dir)
		if len(rows) != 13 {
			t.Errorf("they made %d files, want 13", len(rows))
		}
		for _, r := range rows {
			t.Run(filepath.Base(r.File), func(t *testing.T) {
				data, err := keystore.ReadFile(r.File)
				if err != nil {
					t.Fatal(err)
				}
				k, err := keystore.OpenBytes(t.Context(), "file", data, keystore.Detect(data), u)
				if err != nil {
					t.Fatal(err)
				}
				check(t, k, r)
				if got := keystore.PasswordVariable(r.File); got != r.Variable {
					t.Errorf("the password's variable is %s here, %s there", got, r.Variable)
				}
			})
		}
	})
	t.Run("ours open there", func(t *testing.T) { oursThere(t, program, u) })
}

// ours are keys of every make.
func ours(t *testing.T) map[string]*keystore.Key {
	t.Helper()
	m, err := keystore.ParseMnemonic([]byte(phrase))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]*keystore.Key{}
	add := func(name string, k *keystore.Key, err error) {
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = k
	}
	for _, scheme := range []tao.Scheme{tao.Sr25519, tao.Ed25519} {
		k, err := m.Key(scheme, keystore.KeyOptions{})
		add("mnemonic-"+scheme.String(), k, err)
		k, err = m.Key(scheme, keystore.KeyOptions{Path: "//hard"})
		add("path-"+scheme.String(), k, err)
		k, err = m.Key(scheme, keystore.KeyOptions{Passphrase: []byte("Substrate")})
		add("passphrase-"+scheme.String(), k, err)
		k, err = keystore.FromSeed(bytes.Repeat([]byte{0x61}, 32), scheme, "")
		add("seed-"+scheme.String(), k, err)
	}
	k, err := m.Key(tao.Sr25519, keystore.KeyOptions{Path: "//hard/soft"})
	add("soft-sr25519", k, err)
	return keys
}

// oursThere saves keys in every way and has both official wallets open them.
// Ed25519 is the exception: bittensor-wallet must refuse it, because it knows
// sr25519 only and would otherwise show another account.
func oursThere(t *testing.T, program string, u *keystore.Unlocker) {
	store := keystore.Open(filepath.Join(t.TempDir(), "wallets"))
	options := map[string]keystore.SaveOptions{
		"encrypted": {Passphrase: []byte(password)},
		"plain":     {Plain: true},
		"lean":      {Passphrase: []byte(password), OmitPhrase: true},
	}
	var rows []row
	var keys []*keystore.Key
	for name, k := range ours(t) {
		for how, o := range options {
			if !o.Plain && !strings.HasPrefix(name, "mnemonic") {
				continue // each of theirs takes seconds to open
			}
			ref := keystore.Ref{Wallet: name, Hotkey: how}
			saved, err := store.Save(t.Context(), ref, k, u, o)
			if err != nil {
				t.Fatal(err)
			}
			pass := password
			if o.Plain {
				pass = ""
			}
			for _, tool := range []string{"wallet", "core"} {
				rows = append(rows, row{Tool: tool, File: saved.Path, Password: pass}, row{Tool: tool, File: saved.Path + "pub.txt", Public: true})
				keys = append(keys, k, k)
			}
		}
	}
	for i, r := range ask(t, rows, program, "official.py", "open") {
		k, asked := keys[i], rows[i]
		path, err := filepath.Rel(store.Dir(), asked.File)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(asked.Tool+" "+path, func(t *testing.T) {
			mustRefuse := asked.Tool == "wallet" && k.Scheme() == tao.Ed25519 && !asked.Public
			switch {
			case mustRefuse && r.Error == "":
				t.Errorf("it took an ed25519 key for %s", r.Address)
			case mustRefuse:
			case r.Error != "":
				t.Error(r.Error)
			case r.Address != k.Account().String():
				t.Errorf("here it is %v, there %s", k, r.Address)
			case !asked.Public:
				verify(t, k, r.Signature)
			}
		})
	}
}

// TestExportsInOfficialWallets has the official wallets import our Polkadot-JS
// exports.
func TestExportsInOfficialWallets(t *testing.T) {
	program := python(t)
	dir := t.TempDir()
	var rows []row
	var keys []*keystore.Key
	for name, k := range ours(t) {
		data, err := keystore.ExportPolkadotJS(t.Context(), k, name, time.UnixMilli(1_700_000_000_000), []byte(password))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, name+".json")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, tool := range []string{"wallet", "core"} {
			if tool == "wallet" && k.Scheme() == tao.Ed25519 {
				continue // it imports sr25519 only
			}
			rows = append(rows, row{Tool: tool, File: path, Password: password, JSON: json.RawMessage("true")})
			keys = append(keys, k)
		}
	}
	for i, r := range ask(t, rows, program, "official.py", "open") {
		t.Run(rows[i].Tool+" "+filepath.Base(rows[i].File), func(t *testing.T) {
			if r.Error != "" || r.Address != keys[i].Account().String() {
				t.Fatalf("here it is %v, there %s %s", keys[i], r.Address, r.Error)
			}
			verify(t, keys[i], r.Signature)
		})
	}
}

func TestPolkadotJS(t *testing.T) {
	script := node(t)
	u := unlocker(t)
	t.Run("theirs open here", func(t *testing.T) {
		rows := ask(t, given, "node", script, "make")
		var ecdsa int
		for _, r := range rows {
			t.Run(fmt.Sprint(r.Scheme, " ", r.Address, " encrypted=", r.Password != ""), func(t *testing.T) {
				k, err := keystore.OpenBytes(t.Context(), "export", r.JSON, keystore.Detect(r.JSON), u)
				if r.Scheme == tao.Ecdsa.String() {
					ecdsa++
					var unsupported *keystore.UnsupportedError
					if !errors.As(err, &unsupported) || !strings.Contains(err.Error(), "ecdsa") {
						t.Errorf("ecdsa: %v", err)
					}
					return
				}
				if err != nil {
					t.Fatal(err)
				}
				check(t, k, r)
			})
		}
		if len(rows) != 14 || ecdsa != 4 {
			t.Errorf("they made %d exports, %d of them ecdsa", len(rows), ecdsa)
		}
	})
	t.Run("ours open there", func(t *testing.T) {
		var rows []row
		var keys []*keystore.Key
		for name, k := range ours(t) {
			data, err := keystore.ExportPolkadotJS(t.Context(), k, name, time.UnixMilli(1_700_000_000_000), []byte(password))
			if err != nil {
				t.Fatal(err)
			}
			rows = append(rows, row{JSON: data, Password: password})
			keys = append(keys, k)
		}
		for i, r := range ask(t, rows, "node", script, "open") {
			if r.Error != "" || r.Address != keys[i].Account().String() {
				t.Errorf("here it is %v, there %s %s", keys[i], r.Address, r.Error)
				continue
			}
			verify(t, keys[i], r.Signature)
		}
	})
}
