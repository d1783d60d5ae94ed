// Package harden keeps a process that holds secrets from leaving them behind:
// no core dump when it crashes, and no reading of its memory by other
// processes of the same user, where the system has a way to forbid it.
//
// It lowers the odds; it is no wall. Root reads everything, and pages may be
// swapped out.
package harden

// Process hardens the running process, for good. An error says what could not
// be had; the program can go on.
func Process() error { return process() }
