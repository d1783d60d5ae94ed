package scale

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

const (
	alice = "d43593c715fdd31c61141abd04a99fd6822c8558854ccde39a5684e7a56da27d" // the well-known development account
	bob   = "8eaf04151687736326c9fea17e25fc5287613693c912909cb226aa4794f26a48"
)

// Published vectors: xxHash64 and BLAKE2b of "" and of "abc", as Substrate's
// hashers give them.
func TestHashers(t *testing.T) {
	for _, c := range []struct {
		h         Hasher
		key, want string
	}{
		{Twox64Concat, "", "99e9d85137db46ef"},
		{Twox64Concat, "abc", "990977adf52cbc44"},
		{Twox128, "", "99e9d85137db46ef4bbea33613baafd5"},
		{Twox128, "abc", "990977adf52cbc440889329981caa9be"},
		{Twox256, "abc", "990977adf52cbc440889329981caa9bef7da5770b2b8a05303b75d95360dd62b"},
		{Blake2_256, "abc", "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319"},
		{Blake2_128, "abc", "cf4ab791c62b8d2b2109c90275287816"},
		{Blake2_128Concat, "abc", "cf4ab791c62b8d2b2109c90275287816"},
		{Identity, "abc", ""},
	} {
		if got := hex.EncodeToString(c.h.hash(nil, []byte(c.key))); got != c.want {
			t.Errorf("%s of %q = %s, want %s", c.h, c.key, got, c.want)
		}
	}
}

// Keys as the codec of Bittensor's own Python library makes them (bittensor-core
// 0.1.5), and as a node reads them.
func TestStorageKey(t *testing.T) {
	m := load(t, "localnet-461-v15")
	account, hotkey := unhex(t, alice), unhex(t, "b220508024ce70b0dd91910806fbda4614701cb762f669276fe978636c4ff80c")
	for _, c := range []struct {
		pallet, entry string
		keys          []any
		want          string
	}{
		{"System", "Events", nil, "26aa394eea5630e07c48ae0c9558cef780d41e5e16056765bc8461851072c9d7"},
		{"System", "Account", nil, "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9"},
		{"System", "Account", []any{account}, "26aa394eea5630e07c48ae0c9558cef7b99d880ec681799c0cf30e8886371da9de1e86a9a8c739864cf3cc5ec2bea59f" + alice},
		{"SubtensorModule", "Tempo", []any{1}, "658faa385070e074c85bf6b568cf05557641384bb339f3758acddfd7053d33170100"},
		{"SubtensorModule", "Keys", []any{uint16(1), Text("0")}, "658faa385070e074c85bf6b568cf05559f99a2ce711f3a31b2fc05604c93f17901000000"},
		{"SubtensorModule", "Alpha", []any{hotkey}, "658faa385070e074c85bf6b568cf05557261f9a8fde18018cccf70368697902fc77e0813e02296faaf999a1aa2c93d70b220508024ce70b0dd91910806fbda4614701cb762f669276fe978636c4ff80c"},
		{"SubtensorModule", "Alpha", []any{hotkey, account, 1}, "658faa385070e074c85bf6b568cf05557261f9a8fde18018cccf70368697902fc77e0813e02296faaf999a1aa2c93d70b220508024ce70b0dd91910806fbda4614701cb762f669276fe978636c4ff80cde1e86a9a8c739864cf3cc5ec2bea59f" + alice + "0100"},
		{"Multisig", "Multisigs", []any{account, bytes.Repeat([]byte{0xab}, 32)}, "7474449cca95dc5d0c00e71735a6d17d3cd15a3fd6e04e47bee3922dbfa92c8d518366b5b1bc7c99" + alice + "6bb3853c34cfcf3b081e5715f3c82748" + strings.Repeat("ab", 32)},
	} {
		got, err := m.StorageKey(m.Pallet(c.pallet).Entry(c.entry), c.keys...)
		if err != nil || hex.EncodeToString(got) != c.want {
			t.Errorf("%s.%s%x = %x, %v, want %s", c.pallet, c.entry, c.keys, got, err, c.want)
		}
	}
}

func TestDecodeStorageKey(t *testing.T) {
	m := load(t, "localnet-461-v15")
	e := m.Pallet("SubtensorModule").Entry("Alpha")
	key, err := m.StorageKey(e, unhex(t, bob), unhex(t, alice), 7)
	if err != nil {
		t.Fatal(err)
	}
	var cold [32]byte
	var hot any
	var netuid uint16
	if err := m.DecodeStorageKey(e, key, &hot, &cold, &netuid); err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprintf("%x %x %d", hot, cold, netuid); got != bob+" "+alice+" 7" {
		t.Errorf("keys are %s", got)
	}
	if err := m.DecodeStorageKey(e, key, nil, nil, &netuid); err != nil || netuid != 7 {
		t.Errorf("passing over two keys: %d, %v", netuid, err)
	}
	changed := bytes.Clone(key)
	changed[32]++
	for name, c := range map[string]struct {
		key  []byte
		into []any
		want string
	}{
		"too few values":    {key, []any{nil, nil}, "2 values for 3 keys"},
		"another entry":     {m.Pallet("System").Entry("Account").Prefix(), []any{nil, nil, nil}, "another entry"},
		"a prefix":          {key[:64], []any{nil, nil, nil}, "key 1 of 3"},
		"cut in a hash":     {key[:84], []any{nil, nil, nil}, "key 2 of 3"},
		"too long":          {append(bytes.Clone(key), 1), []any{nil, nil, nil}, "1 bytes follow"},
		"a wrong hash":      {changed, []any{nil, nil, nil}, "hash does not fit"},
		"not a pointer":     {key, []any{"x", nil, nil}, "no pointer"},
		"another Go type":   {key, []any{nil, nil, new(string)}, "does not fit the Go type string"},
		"too small a type":  {key, []any{nil, nil, new([2]byte)}, "does not fit the Go type"},
		"nothing to put in": {key, []any{(*uint16)(nil), nil, nil}, "no pointer, or nil"},
	} {
		err := m.DecodeStorageKey(e, c.key, c.into...)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q in it", name, err, c.want)
		}
	}
}

func TestOpaqueKey(t *testing.T) {
	m := made(t, Type{Kind: KindPrimitive, Primitive: U8})
	for _, h := range []Hasher{Blake2_128, Blake2_256, Twox128, Twox256} {
		e := &Entry{Name: "E", prefix: "P", Hashers: []Hasher{h, Identity}, Keys: []TypeID{0, 0}}
		key, err := m.StorageKey(e, 1, 2)
		if err != nil || len(key) != 32+h.size()+1 {
			t.Fatalf("%s: %x, %v", h, key, err)
		}
		var n uint8
		if err := m.DecodeStorageKey(e, key, nil, &n); err != nil || n != 2 {
			t.Errorf("%s: %d, %v", h, n, err)
		}
		if err := m.DecodeStorageKey(e, key, &n, nil); err == nil || !strings.Contains(err.Error(), "does not keep the key") {
			t.Errorf("%s: %v", h, err)
		}
	}
}

func TestStorageKeyRefused(t *testing.T) {
	m := load(t, "localnet-461-v15")
	e := m.Pallet("SubtensorModule").Entry("Tempo")
	for _, c := range []struct {
		keys []any
		want string
	}{
		{[]any{1, 2}, "2 keys for a map of 1"},
		{[]any{65536}, "key 1 of 1: u16: 65536 exceeds a u16"},
		{[]any{"x"}, "string is not an exact integer"},
	} {
		if _, err := m.StorageKey(e, c.keys...); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q in it", c.keys, err, c.want)
		}
	}
}
