// Package register will own what a hotkey must do to join a subnet: what it
// costs, registration by burning TAO and by proof of work, and the work kept
// fresh as blocks pass. It will use package powsolver for the search.
//
// To come: it holds no code yet.
package register
