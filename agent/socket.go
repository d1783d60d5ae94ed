//go:build linux || darwin || freebsd

package agent

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"github.com/gofrs/flock"
)

const supported = true

// maxPath is the longest name of a socket: sun_path has 104 bytes on BSD and
// macOS, 108 on Linux, of which one ends it.
const maxPath = 103

// listen opens the socket. A lock beside it, held for life, decides between two
// agents that start at once: both could find the same dead socket, and the
// second would remove the first one's new one.
func listen(path string) (*net.UnixListener, *flock.Flock, error) {
	if len(path) > maxPath {
		return nil, nil, fmt.Errorf("the agent's socket %s: a name longer than %d bytes is not possible", path, maxPath)
	}
	if err := prepareFolder(filepath.Dir(path)); err != nil {
		return nil, nil, err
	}
	lock := flock.New(path+".lock", flock.SetPermissions(0o600))
	free, err := lock.TryLock()
	if err != nil {
		return nil, nil, fmt.Errorf("locking the agent's socket: %w", err)
	}
	if !free {
		return nil, nil, &RunningError{path}
	}
	listener, err := open(path)
	if err != nil {
		return nil, nil, errors.Join(err, lock.Unlock())
	}
	return listener, lock, nil
}

func open(path string) (*net.UnixListener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("opening the agent's socket: %w", err)
	}
	// Until here the folder's mode has kept others away.
	if err := os.Chmod(path, 0o600); err != nil {
		listener.Close()
		return nil, fmt.Errorf("closing the agent's socket to others: %w", err)
	}
	return listener, nil
}

// prepareFolder makes the socket's folder, which must be closed to others:
// some systems do not look at the mode of a socket.
func prepareFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("making the folder of the agent's socket: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("the folder of the agent's socket: %w", err)
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	switch {
	case !info.IsDir():
		return &FolderError{Path: dir, Reason: "is no folder"}
	case !ok || int(st.Uid) != os.Geteuid():
		return &FolderError{Path: dir, Reason: "belongs to another user"}
	case info.Mode().Perm()&0o077 != 0:
		return &FolderError{Path: dir, Reason: fmt.Sprintf("is open to other users (mode %04o)", info.Mode().Perm()), Fix: "chmod 700 " + dir}
	}
	return nil
}

// removeStale removes a socket on which nobody answers, and nothing else.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("the agent's socket: %w", err)
	case info.Mode().Type() != fs.ModeSocket:
		return fmt.Errorf("%s is in the way of the agent's socket, and is no socket", path)
	}
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"})
	if err == nil {
		conn.Close()
		return &RunningError{path}
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("the agent's socket: %w", err)
	}
	if err := os.Remove(path); err != nil {
		return fmt.Errorf("removing a dead agent's socket: %w", err)
	}
	return nil
}

// checkPeer asks the system who is at the other end. Root is no exception: it
// can become the user whose agent it is.
func checkPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var uid uint32
	var failed error
	if err := raw.Control(func(fd uintptr) { uid, failed = peerUID(int(fd)) }); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("asking who is at the other end of the socket: %w", failed)
	}
	if me := uint32(os.Geteuid()); uid != me {
		return &PeerError{UID: uid, Want: me}
	}
	return nil
}
