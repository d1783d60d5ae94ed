//go:build darwin || freebsd

package agent

import "golang.org/x/sys/unix"

// peerUID is the effective uid of the process that connected, or that listens
// (FreeBSD's unix(4), LOCAL_PEERCRED).
func peerUID(fd int) (uint32, error) {
	cred, err := unix.GetsockoptXucred(fd, unix.SOL_LOCAL, unix.LOCAL_PEERCRED)
	if err != nil {
		return 0, err
	}
	return cred.Uid, nil
}
