package main

import (
	"os"

	"golang.org/x/sys/windows"
)

// redirect makes standard error what drivers take for standard output; those that
// asked for it before this could still write to the protocol, and would be dropped.
func redirect() (*os.File, error) {
	out := os.Stdout
	return out, windows.SetStdHandle(windows.STD_OUTPUT_HANDLE, windows.Handle(os.Stderr.Fd()))
}
