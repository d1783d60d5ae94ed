// Package powsolver computes, checks and searches for the proof of work that
// registers a hotkey on a subnet. It knows nothing of nodes, wallets or
// terminals: a [Puzzle] goes in, a [Solution] comes out.
//
// [Puzzle.Seal] is the definition of the seals, written for people. Everything
// else is speed: an [Engine] computes the same seals with what the CPU offers,
// is compared with the definition before it is used ([Engine.Check]), and never
// has the last word, for every answer is verified by the definition again.
//
// A [Solver] keeps one worker on each core, moves them to new work as blocks
// pass and stops them at once when told.
//
// The assembly is written by the program in _asm, a module of its own. The build
// tag purego leaves it out.
package powsolver
