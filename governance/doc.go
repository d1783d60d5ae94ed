// Package governance will own what can be decided on a chain and by whom:
// members, proposals, votes, and what a runtime does not offer.
//
// To come: it holds no code yet.
package governance
