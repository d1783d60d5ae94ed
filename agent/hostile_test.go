//go:build linux || darwin || freebsd

package agent

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/taoctl/taoctl/keystore"
	"github.com/taoctl/taoctl/tao"
)

func connect(t *testing.T, path string) *net.UnixConn {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// raw is a frame that need not make sense.
func raw(v byte, head string, size uint32, body string) []byte {
	b := binary.BigEndian.AppendUint16([]byte{v}, uint16(len(head)))
	b = binary.BigEndian.AppendUint32(b, size)
	return append(append(b, head...), body...)
}

var garbage = map[string][]byte{
	"nothing":         nil,
	"HTTP":            []byte("GET / HTTP/1.1\r\nHost: agent\r\n\r\n"),
	"ssh-agent":       {0, 0, 0, 1, 11},
	"other version":   raw(2, `{"op":"list"}`, 0, ""),
	"no JSON":         raw(version, "list", 0, ""),
	"no op":           raw(version, `{}`, 0, ""),
	"unknown op":      raw(version, `{"op":"reveal"}`, 0, ""),
	"export":          raw(version, `{"op":"export","account":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"}`, 0, ""),
	"unknown field":   raw(version, `{"op":"list","all":true}`, 0, ""),
	"two values":      raw(version, `{"op":"list"}{"op":"stop"}`, 0, ""),
	"bad account":     raw(version, `{"op":"sign","account":"5Grwva"}`, 0, ""),
	"negative time":   raw(version, `{"op":"add","seconds":-1}`, 0, ""),
	"time overflows":  raw(version, `{"op":"add","seconds":9223372036854775807}`, 0, ""),
	"body for list":   raw(version, `{"op":"list"}`, 1, "x"),
	"huge message":    raw(version, `{"op":"sign"}`, 1<<32-1, "x"),
	"key too long":    raw(version, `{"op":"add"}`, maxKey+1, strings.Repeat("k", maxKey+1)),
	"deeply nested":   raw(version, strings.Repeat("[", 60000), 0, ""),
	"cut in the head": raw(version, `{"op":"list"}`, 0, "")[:10],
	"cut in the body": raw(version, `{"op":"sign"}`, 100, "short"),
}

// Whatever a peer of the same user says, the agent goes on, and keeps its keys.
func TestGarbage(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	r := run(t, path)
	k := key(t, "//Alice", tao.Sr25519)
	r.mustAdd(t, k, time.Minute)
	for name, text := range garbage {
		conn := connect(t, path)
		// The agent may close before it has read all.
		_, _ = conn.Write(text)
		_ = conn.CloseWrite()
		reply, _ := io.ReadAll(conn)
		if a, _, err := readAnswer(bytes.NewReader(reply)); err == nil && (a.Refused == "" || len(a.Keys) > 0) {
			t.Errorf("%s: answer %+v", name, a)
		}
		if keys, err := r.Keys(t.Context()); err != nil || len(keys) != 1 {
			t.Fatalf("after %s: keys %+v, %v", name, keys, err)
		}
	}
}

// Peers that say nothing are put out after their time, so that others get in.
func TestSlowPeers(t *testing.T) {
	server, err := Listen(filepath.Join(folder(t), "agent.sock"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	server.patience = 100 * time.Millisecond
	r := serve(t, server, newClock())
	var slow []*net.UnixConn
	for range 2 * maxPeers {
		conn := connect(t, server.Path())
		if _, err := conn.Write([]byte{version}); err != nil {
			t.Fatal(err)
		}
		slow = append(slow, conn)
	}
	if _, err := r.Keys(t.Context()); err != nil {
		t.Errorf("behind %d silent peers: %v", len(slow), err)
	}
	for _, conn := range slow[:maxPeers] {
		if _, err := io.ReadAll(conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Error(err)
		}
	}
}

// impostor is an agent that answers every request with the same bytes.
func impostor(t *testing.T, reply []byte) *Client {
	t.Helper()
	path := filepath.Join(folder(t), "agent.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _, _ = readRequest(conn)
			_, _ = conn.Write(reply)
			conn.Close()
		}
	}()
	return NewClient(path)
}

func TestMisbehavingAgent(t *testing.T) {
	for name, reply := range map[string][]byte{
		"silent":        nil,
		"garbage":       []byte("hello, I am an agent"),
		"other version": raw(9, `{}`, 0, ""),
		"long answer":   raw(version, `{}`, 1<<31, ""),
		"unknown field": raw(version, `{"private":"0x00"}`, 0, ""),
		"refusing":      raw(version, `{"refused":"other","reason":"no"}`, 0, ""),
		"cut":           raw(version, `{}`, 64, "short"),
	} {
		t.Run(name, func(t *testing.T) {
			c := impostor(t, reply)
			_, err := c.Keys(t.Context())
			want[*AnswerError](t, err)
			_, err = (&Signer{client: c}).Sign(t.Context(), []byte("x"))
			want[*AnswerError](t, err)
		})
	}
}

// A signature is checked, whoever made it.
func TestFalseSignature(t *testing.T) {
	k := key(t, "//Alice", tao.Sr25519)
	sig, err := k.Sign(t.Context(), []byte("another message"))
	if err != nil {
		t.Fatal(err)
	}
	c := impostor(t, raw(version, `{"scheme":"sr25519"}`, 64, string(sig.Bytes)))
	_, err = (&Signer{c, k.Account()}).Sign(t.Context(), []byte("this message"))
	want[*AnswerError](t, err)
	if !errors.Is(err, keystore.ErrSignature) {
		t.Errorf("%v, want ErrSignature", err)
	}
	if _, err := (&Signer{c, k.Account()}).Sign(t.Context(), []byte("another message")); err != nil {
		t.Errorf("the message that was signed: %v", err)
	}
}

// An agent that hangs ends with the caller's context.
func TestHangingAgent(t *testing.T) {
	path := filepath.Join(folder(t), "agent.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, stop := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		if err == nil {
			_, _, _ = readRequest(conn)
			stop()
			_, _ = conn.Read(make([]byte, 1)) // until the client has gone
			conn.Close()
		}
	}()
	if _, err := NewClient(path).Keys(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v, want context.Canceled", err)
	}
}

const (
	strangerEnv = "AGENT_TEST_STRANGER" // what the child does: ask, or listen
	strangerUID = 65534
)

func TestMain(m *testing.M) {
	if role := os.Getenv(strangerEnv); role != "" {
		os.Exit(stranger(role, os.Args[1]))
	}
	os.Exit(m.Run())
}

// stranger is a process of another user.
func stranger(role, path string) int {
	if role == "listen" {
		l, err := net.Listen("unix", path)
		if err != nil {
			fmt.Println(err)
			return 1
		}
		_ = os.Chmod(path, 0o666)
		fmt.Println("ready")
		conn, err := l.Accept()
		if err == nil {
			got, _ := io.ReadAll(conn)
			fmt.Printf("got %d bytes\n", len(got))
		}
		return 0
	}
	conn, err := net.Dial("unix", path)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_ = writeFrame(conn, request{Op: opList}, nil)
	reply, _ := io.ReadAll(conn)
	fmt.Printf("got %d bytes\n", len(reply))
	_, err = NewClient(path).Keys(context.Background())
	fmt.Println(err)
	return 0
}

// asStranger prepares this test's program to run as another user.
func asStranger(t *testing.T, dir, role, path string) *exec.Cmd {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a process of another user")
	}
	program, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skipf("this system does not show a test its program: %v", err)
	}
	copied := filepath.Join(dir, "stranger")
	if err := os.WriteFile(copied, program, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(copied, 0o755); err != nil {
		t.Fatal(err)
	}
	c := exec.Command(copied, path)
	c.Dir = "/"
	c.Env = []string{strangerEnv + "=" + role}
	c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: strangerUID, Gid: strangerUID}}
	return c
}

// Modes keep others out, and this is what happens where they fail.
func TestOtherUserIsPutOut(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "agent.sock")
	r := run(t, path)
	r.mustAdd(t, key(t, "//Alice", tao.Sr25519), time.Minute)
	c := asStranger(t, dir, "ask", path)
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(path, 0o666)); err != nil {
		t.Fatal(err)
	}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if want := fmt.Sprintf("got 0 bytes\nthe agent at %s: the other end of the agent's socket is user 0, not %d\n", path, strangerUID); string(out) != want {
		t.Errorf("the stranger saw %q, want %q", out, want)
	}
	if keys, err := r.Keys(t.Context()); err != nil || len(keys) != 1 {
		t.Errorf("keys %+v, %v", keys, err)
	}
}

func TestOtherUserIsKeptOutByModes(t *testing.T) {
	dir := folder(t)
	path := filepath.Join(dir, "inner", "agent.sock")
	run(t, path)
	c := asStranger(t, dir, "ask", path)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "permission denied") {
		t.Errorf("%v\n%s", err, out)
	}
}

// A key never goes to another user's socket.
func TestKeyNeverGoesToAnotherUser(t *testing.T) {
	dir := folder(t)
	open := filepath.Join(dir, "open")
	path := filepath.Join(open, "agent.sock")
	c := asStranger(t, dir, "listen", path)
	if err := errors.Join(os.Mkdir(open, 0o700), os.Chmod(open, 0o777), os.Chmod(dir, 0o755)); err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make([]byte, len("ready\n"))
	if _, err := io.ReadFull(out, ready); err != nil || string(ready) != "ready\n" {
		t.Fatalf("the stranger: %q, %v", ready, err)
	}
	err = NewClient(path).Add(t.Context(), key(t, "//Alice", tao.Sr25519), time.Minute)
	want[*PeerError](t, err)
	rest, _ := io.ReadAll(out)
	if string(rest) != "got 0 bytes\n" {
		t.Errorf("the stranger %q", rest)
	}
	if err := c.Wait(); err != nil {
		t.Error(err)
	}
}
