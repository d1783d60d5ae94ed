//go:build unix

package cmd

import "syscall"

// ownSession keeps a child alive when the terminal goes, and from its Ctrl-C.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
