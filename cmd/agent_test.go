//go:build unix

package cmd_test

import (
	"bytes"
	"encoding/base64"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/taoctl/taoctl/cmd"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/keystore/keystoretest"
)

// inside runs the program in this process, where nobody is at a terminal.
type inside struct {
	home string
	vars map[string]string
}

func newInside(t *testing.T) *inside {
	t.Helper()
	home, err := os.MkdirTemp("/tmp", "taoctl") //nolint:usetesting // t.TempDir names the test, and a socket's path has at most 104 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	return &inside{home, map[string]string{}}
}

func (i *inside) path(name string) string { return filepath.Join(i.home, name) }

func (i *inside) write(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(i.path(name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return i.path(name)
}

func (i *inside) run(t *testing.T, args ...string) (code int, out, complaint string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	code = cmd.Main(t.Context(), &cmd.Env{
		In: strings.NewReader(""), Out: &stdout, Err: &stderr,
		Terminal: func() (*term.Terminal, error) { return nil, os.ErrNotExist },
		Getenv:   func(name string) string { return i.vars[name] },
		Home:     i.home, Now: time.Now, Version: "test",
	}, args)
	return code, stdout.String(), stderr.String()
}

func (i *inside) want(t *testing.T, code int, args ...string) (out, complaint string) {
	t.Helper()
	got, out, complaint := i.run(t, args...)
	if got != code {
		t.Fatalf("taoctl %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), got, code, out, complaint)
	}
	return out, complaint
}

// Whatever has the agent's place and is no agent is named; its word is not
// taken, and no password is asked for behind its back.
func TestFalseAgent(t *testing.T) {
	i := newInside(t)
	i.want(t, 0, "wallet", "import", "alice", "--dev", "//Alice", "--no-password")
	if err := os.MkdirAll(i.path(".taoctl"), 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", i.path(".taoctl/agent.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Read(make([]byte, 100))
			_, _ = conn.Write([]byte("I am no agent"))
			conn.Close()
		}
	}()
	for _, args := range [][]string{{"wallet", "sign", "alice", "x"}, {"agent", "status"}, {"agent", "add", "alice"}, {"agent", "start"}, {"agent", "stop"}} {
		out, complaint := i.want(t, 1, args...)
		if out != "" || !strings.Contains(complaint, "the agent at "+l.Addr().String()) || !strings.Contains(complaint, "--no-agent") {
			t.Errorf("%v: %q %q", args, out, complaint)
		}
	}
	i.want(t, 0, "wallet", "sign", "alice", "x", "--no-agent")
}

const keyringPassword = "correct horse battery staple"

// withKeyring is a home with an encrypted wallet and a keyring in memory.
func withKeyring(t *testing.T) (i *inside, passwordFile string) {
	t.Helper()
	keystoretest.WeakKDF(t)
	keyring.MockInit()
	i = newInside(t)
	i.vars["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=/nowhere"
	passwordFile = i.write(t, "good.password", keyringPassword+"\n")
	i.want(t, 0, "wallet", "import", "alice", "--dev", "//Alice", "--password-file", passwordFile)
	return i, passwordFile
}

func TestKeyring(t *testing.T) {
	i, password := withKeyring(t)
	wrong := i.write(t, "wrong.password", "a guess that fails\n")

	// nothing is stored that does not open the key
	i.want(t, 4, "wallet", "keyring", "store", "alice", "--password-file", wrong)
	_, complaint := i.want(t, 4, "wallet", "sign", "alice", "x", "--password-keyring")
	if !strings.Contains(complaint, "holds no password of "+i.path(".bittensor/wallets/alice/coldkey")) {
		t.Error(complaint)
	}
	i.want(t, 4, "wallet", "keyring", "forget", "alice")

	i.want(t, 0, "wallet", "keyring", "store", "alice", "--password-file", password)
	if got, err := keyring.Get("taoctl", i.path(".bittensor/wallets/alice/coldkey")); err != nil || got != keyringPassword {
		t.Errorf("the keyring holds %q, %v", got, err)
	}
	i.want(t, 4, "wallet", "sign", "alice", "x") // it is asked only where that was asked for
	i.want(t, 0, "wallet", "sign", "alice", "x", "--password-keyring")
	i.want(t, 2, "wallet", "sign", "alice", "x", "--password-keyring", "--password-file", password)
	i.vars["TAOCTL_PASSWORD_KEYRING"] = "1"
	i.want(t, 0, "wallet", "sign", "alice", "x")

	i.want(t, 0, "wallet", "keyring", "forget", "alice")
	i.want(t, 4, "wallet", "sign", "alice", "x", "--password-keyring")
}

// hidden writes a password as btcli puts it into a variable.
func hidden(name, password string) string {
	b := []byte(password)
	for i := range b {
		b[i] ^= name[i%len(name)]
	}
	return base64.StdEncoding.EncodeToString(b)
}

// Where the variable asks for the keyring and it is empty, the next source is
// asked; where the flag does, it is an error.
func TestEmptyKeyring(t *testing.T) {
	i, password := withKeyring(t)
	i.vars["TAOCTL_PASSWORD_KEYRING"] = "1"
	i.want(t, 0, "wallet", "sign", "alice", "x", "--password-file", password)
	path := i.path(".bittensor/wallets/alice/coldkey")
	i.vars[keystore.PasswordVariable(path)] = hidden(keystore.PasswordVariable(path), keyringPassword)
	i.want(t, 0, "wallet", "sign", "alice", "x")
	i.want(t, 4, "wallet", "sign", "alice", "x", "--password-keyring")
}

// A key without a password has none to store.
func TestKeyringOfPlainKey(t *testing.T) {
	i, _ := withKeyring(t)
	i.want(t, 0, "wallet", "import", "plain", "--dev", "//Bob", "--no-password")
	_, complaint := i.want(t, 1, "wallet", "keyring", "store", "plain")
	if !strings.Contains(complaint, "not encrypted") {
		t.Error(complaint)
	}
}

// On a machine without a desktop that is said at once, and nothing is started.
func TestNoKeyring(t *testing.T) {
	if _, err := os.Stat("/run/user/" + strconv.Itoa(os.Getuid()) + "/bus"); err == nil || runtime.GOOS == "darwin" {
		t.Skip("this machine has a keyring")
	}
	i, password := withKeyring(t)
	i.vars["DBUS_SESSION_BUS_ADDRESS"] = ""
	for _, args := range [][]string{
		{"wallet", "keyring", "store", "alice", "--password-file", password},
		{"wallet", "keyring", "forget", "alice"},
		{"wallet", "sign", "alice", "x", "--password-keyring"},
	} {
		if _, complaint := i.want(t, 4, args...); !strings.Contains(complaint, "there is none here") || !strings.Contains(complaint, "--password-file") {
			t.Errorf("%v: %s", args, complaint)
		}
	}
}

// A keyring that fails is an error, whoever asked for it.
func TestBrokenKeyring(t *testing.T) {
	i, _ := withKeyring(t)
	keyring.MockInitWithError(os.ErrPermission)
	defer keyring.MockInit()
	i.want(t, 4, "wallet", "sign", "alice", "x", "--password-keyring")
	i.vars["TAOCTL_PASSWORD_KEYRING"] = "1"
	_, complaint := i.want(t, 4, "wallet", "sign", "alice", "x")
	if !strings.Contains(complaint, "the system's keyring: permission denied") {
		t.Error(complaint)
	}
}
