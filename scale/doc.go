// Package scale reads and writes SCALE, the encoding of Substrate chains, by
// what a runtime says of itself in its metadata: types, storage, calls, events,
// errors, constants and runtime APIs, all by name.
//
// It knows no chain. Values are dynamic (Record, Variant, ...) or Go structs.
// Integers are exact and checked, never rounded; decoding accepts the canonical
// form alone, so what is decoded encodes to the same bytes again. Input of any
// kind, the metadata included, may be hostile: it leads to an error, not to a
// panic, nor to memory out of proportion to its size.
package scale
