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
// # Speed
//
// On one core of an Intel Xeon of the Emerald Rapids generation at 2.9 GHz, shared
// with others, by [Bench]; the cost of a seal is in cycles, the ratio is to the
// portable engine, and the two orders cost the same:
//
//	            legacy                     v475
//	avx512      15.4 MH/s   194   × 7.0    15.4 MH/s   194   × 8.5
//	avx2         6.0 MH/s   494   × 2.75    6.0 MH/s   494   × 3.35
//	portable     2.2 MH/s  1360             1.8 MH/s  1660
//
// The bounds, counted from the assembly without moves and loads: avx512 executes
// 365 vector instructions for a seal, 93 of them in SHA-256. This CPU can begin two
// of them each cycle, which makes 183 cycles; AMD's Zen 5 can begin four. In avx2,
// Keccak executes 1058, at three each cycle 353 cycles, and SHA-256's instructions,
// which one port alone takes, another 92 as measured. The vector engines do the
// same for both seals, since both come down to one SHA-256 block of which the first
// word varies, and one Keccak. The portable engine hashes all three blocks of a v475
// message.
//
// The assembly is written by the program in _asm, a module of its own. The build
// tag purego leaves it out.
package powsolver
