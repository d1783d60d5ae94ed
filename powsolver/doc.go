// Package powsolver will own the proof of work of a registration: the seal of
// each generation of the chain, checking one, and searching for one on all
// cores. It will know nothing of wallets, nodes or the rest of this program.
//
// To come: it holds no code yet.
package powsolver
