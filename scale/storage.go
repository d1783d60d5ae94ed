package scale

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/blake2b"
)

// Hasher says how a key of a storage map becomes part of the storage key.
type Hasher uint8

// The hashers, in the order of frame-metadata's StorageHasher.
const (
	Blake2_128       Hasher = iota // 16 bytes, opaque
	Blake2_256                     // 32 bytes, opaque
	Blake2_128Concat               // 16 bytes, then the key
	Twox128                        // 16 bytes, opaque
	Twox256                        // 32 bytes, opaque
	Twox64Concat                   // 8 bytes, then the key
	Identity                       // the key
)

// String writes the name that the metadata's source has for it.
func (h Hasher) String() string {
	names := [...]string{"Blake2_128", "Blake2_256", "Blake2_128Concat", "Twox128", "Twox256", "Twox64Concat", "Identity"}
	if int(h) >= len(names) {
		return fmt.Sprintf("Hasher(%d)", uint8(h))
	}
	return names[h]
}

// opaque reports a hasher that does not keep the key.
func (h Hasher) opaque() bool {
	return h == Blake2_128 || h == Blake2_256 || h == Twox128 || h == Twox256
}

// size is the number of hash bytes.
func (h Hasher) size() int { return [...]int{16, 32, 16, 16, 32, 8, 0}[h] }

// hash appends the hash of key, without the key.
func (h Hasher) hash(dst, key []byte) []byte {
	switch h {
	case Blake2_256:
		sum := blake2b.Sum256(key)
		return append(dst, sum[:]...)
	case Blake2_128, Blake2_128Concat:
		state, _ := blake2b.New(16, nil) // fails only for sizes above 64
		_, _ = state.Write(key)          // a hash never fails
		return state.Sum(dst)
	}
	for seed := range uint64(h.size() / 8) { // twox: xxHash64 with seeds 0, 1, ...
		state := xxhash.NewWithSeed(seed)
		_, _ = state.Write(key)
		dst = binary.LittleEndian.AppendUint64(dst, state.Sum64())
	}
	return dst
}

// Prefix is what every key of the entry begins with: twox128 of the pallet's
// prefix, twox128 of the entry's name. Of a plain value it is the key.
func (e *Entry) Prefix() []byte {
	return Twox128.hash(Twox128.hash(nil, []byte(e.prefix)), []byte(e.Name))
}

// StorageKey makes the key of an entry, or with fewer keys than the map has the
// prefix that all entries below those keys share.
func (m *Metadata) StorageKey(e *Entry, keys ...any) ([]byte, error) {
	if len(keys) > len(e.Keys) {
		return nil, fmt.Errorf("storage key of %s.%s: %d keys for a map of %d", e.prefix, e.Name, len(keys), len(e.Keys))
	}
	out := e.Prefix()
	for i, key := range keys {
		b, err := m.Encode(nil, e.Keys[i], key)
		if err != nil {
			return nil, fmt.Errorf("storage key of %s.%s: key %d of %d: %w", e.prefix, e.Name, i+1, len(e.Keys), err)
		}
		out = e.Hashers[i].hash(out, b)
		if !e.Hashers[i].opaque() {
			out = append(out, b...)
		}
	}
	return out, nil
}

// DecodeStorageKey reads the keys of a map back out of a storage key, one for
// each of into; nil there passes over a key. The whole key must be used up, and
// its hashes must be right. A hasher that does not keep the key allows nil only.
func (m *Metadata) DecodeStorageKey(e *Entry, key []byte, into ...any) error {
	if len(into) != len(e.Keys) {
		return fmt.Errorf("storage key of %s.%s: %d values for %d keys", e.prefix, e.Name, len(into), len(e.Keys))
	}
	rest, ok := bytes.CutPrefix(key, e.Prefix())
	if !ok {
		return fmt.Errorf("storage key of %s.%s: 0x%x belongs to another entry", e.prefix, e.Name, clip(string(key)))
	}
	for i := range into {
		var err error
		if rest, err = m.decodeKey(e.Hashers[i], e.Keys[i], rest, into[i]); err != nil {
			return fmt.Errorf("storage key of %s.%s: key %d of %d: %w", e.prefix, e.Name, i+1, len(into), err)
		}
	}
	if len(rest) > 0 {
		return fmt.Errorf("storage key of %s.%s: %d bytes follow the last key", e.prefix, e.Name, len(rest))
	}
	return nil
}

func (m *Metadata) decodeKey(h Hasher, id TypeID, b []byte, into any) (rest []byte, err error) {
	if len(b) < h.size() {
		return nil, fmt.Errorf("needs %d bytes of hash, %d are left", h.size(), len(b))
	}
	sum, b := b[:h.size()], b[h.size():]
	switch {
	case !h.opaque():
	case into == nil:
		return b, nil
	default:
		return nil, fmt.Errorf("%s does not keep the key", h)
	}
	if rest, err = m.DecodePrefix(id, b, into); err != nil {
		return nil, err
	}
	if encoded := b[:len(b)-len(rest)]; !bytes.Equal(h.hash(nil, encoded), sum) {
		return nil, fmt.Errorf("the %s hash does not fit the key", h)
	}
	return rest, nil
}
