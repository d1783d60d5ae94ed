package agent

import "golang.org/x/sys/unix"

// peerUID is the effective uid of the process that connected, or that listens
// (unix(7), SO_PEERCRED).
func peerUID(fd int) (uint32, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
