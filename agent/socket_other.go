//go:build !linux && !darwin && !freebsd

package agent

import (
	"net"

	"github.com/gofrs/flock"
)

const (
	supported = false
	maxPath   = 0
)

func listen(string) (*net.UnixListener, *flock.Flock, error) { return nil, nil, ErrUnsupported }

func checkPeer(*net.UnixConn) error { return ErrUnsupported }
