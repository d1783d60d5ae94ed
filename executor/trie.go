package executor

import (
	"encoding/binary"

	"golang.org/x/crypto/blake2b"
)

// hashedValue is the size in bytes from which state version 1 puts a value's
// hash into its node, instead of the value (Substrate,
// primitives/trie/src/lib.rs, TRIE_VALUE_NODE_THRESHOLD).
const hashedValue = 33

// orderedRoot is the root of the trie in which each item lies under its index,
// as a compact number: what a block's header says of its extrinsics (Substrate,
// primitives/trie/src/lib.rs, TrieConfiguration::ordered_trie_root).
func orderedRoot(items [][]byte, version byte) []byte {
	leaves := make([]leaf, len(items))
	for i, item := range items {
		for _, b := range appendCompact(nil, uint32(i)) {
			leaves[i].path = append(leaves[i].path, b>>4, b&15)
		}
		leaves[i].value = item
	}
	root := blake2b.Sum256(node(leaves, 0, version))
	return root[:]
}

// leaf is a value and its key, in nibbles.
type leaf struct{ path, value []byte }

// node encodes what lies below leaves that share their path up to a depth
// (Substrate, primitives/trie/src/node_codec.rs and node_header.rs). No two
// paths are equal, and compact numbers are never each other's beginning, so a
// branch has no value of its own.
func node(leaves []leaf, depth int, version byte) []byte {
	switch len(leaves) {
	case 0:
		return []byte{0}
	case 1:
		path, value := leaves[0].path[depth:], leaves[0].value
		if version > 0 && len(value) >= hashedValue {
			h := blake2b.Sum256(value)
			return append(partial(0x20, path), h[:]...)
		}
		return append(appendCompact(partial(0x40, path), uint32(len(value))), value...)
	}
	end := depth
	for shared(leaves, end) {
		end++
	}
	var children [16][]leaf
	for _, l := range leaves {
		children[l.path[end]] = append(children[l.path[end]], l)
	}
	var present uint16
	var below []byte
	for i, c := range children {
		if len(c) == 0 {
			continue
		}
		present |= 1 << i
		n := node(c, end+1, version)
		if len(n) >= blake2b.Size256 {
			h := blake2b.Sum256(n)
			n = h[:]
		}
		below = append(appendCompact(below, uint32(len(n))), n...)
	}
	b := partial(0x80, leaves[0].path[depth:end])
	return append(binary.LittleEndian.AppendUint16(b, present), below...)
}

func shared(leaves []leaf, at int) bool {
	for _, l := range leaves[1:] {
		if l.path[at] != leaves[0].path[at] {
			return false
		}
	}
	return true
}

// partial begins a node: its kind, how many nibbles of the path it holds, and
// those. An index has ten nibbles at most, which every kind's bits can count.
func partial(kind byte, path []byte) []byte {
	b := []byte{kind | byte(len(path))}
	if len(path)%2 == 1 {
		b, path = append(b, path[0]), path[1:]
	}
	for ; len(path) > 0; path = path[2:] {
		b = append(b, path[0]<<4|path[1])
	}
	return b
}

// items reads a list of byte strings, Vec<Vec<u8>>.
func items(b []byte) ([][]byte, bool) {
	n, b, ok := takeCompact(b)
	if !ok || uint64(n) > uint64(len(b)) {
		return nil, false
	}
	list := make([][]byte, n)
	for i := range list {
		var size uint32
		if size, b, ok = takeCompact(b); !ok || uint64(size) > uint64(len(b)) {
			return nil, false
		}
		list[i], b = b[:size], b[size:]
	}
	if len(b) > 0 {
		return nil, false
	}
	return list, true
}

func takeCompact(b []byte) (n uint32, rest []byte, ok bool) {
	n, size := compact(b)
	if size == 0 {
		return 0, nil, false
	}
	return n, b[size:], true
}
