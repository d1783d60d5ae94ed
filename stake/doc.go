// Package stake will own stake in subnets: what a coldkey has where, quotes
// with a bound on the price, adding, removing, moving, swapping and
// transferring stake, and delegation (takes and children).
//
// To come: it holds no code yet.
package stake
