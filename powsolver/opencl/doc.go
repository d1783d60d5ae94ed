// Package opencl searches for proofs of work on whatever OpenCL drives: a
// [Device] becomes a powsolver.Worker.
//
// It loads the system's OpenCL library, and with it the drivers of strangers, into
// the process. So it is used by the program taoctl-opencl alone, which holds no
// key: taoctl starts that and speaks with it (package powsolver/remote). The
// library is opened without cgo, which still makes a Linux program a dynamic one.
//
// # How the work is cut
//
// The kernel computes seals whose nonces share their high part, so all that does
// not vary is summed up by powsolver.Puzzle.Prepare, and both generations of seals
// come to the same: one SHA-256 block of which the first word varies, and one
// Keccak. A launch takes about 20 milliseconds: long enough that its cost of some
// ten microseconds does not show, short enough for new work to begin at once, for
// a screen on the same GPU to stay alive, and for the watchdogs of drivers, the
// strictest of which ends what takes two seconds. On a GPU that is tens of thousands of
// work groups or more.
package opencl
