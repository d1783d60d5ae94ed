package cmd

import "syscall"

// ownSession is never needed here: there is no agent on Windows.
func ownSession() *syscall.SysProcAttr { return nil }
