package executor

import (
	"bytes"
	"encoding/hex"
	"testing"
)

// The roots were computed by smoldot's trie (calculate_state_root of
// @acala-network/chopsticks-executor 1.5.1): n values, the i-th being i%80 bytes
// of the value i, under compact i; in state versions 0 and 1.
func TestOrderedRoot(t *testing.T) {
	for _, c := range []struct {
		n     int
		roots [2]string
	}{
		{0, [2]string{"03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314", "03170a2e7597b7b7e3d84c05391d139a62b157e78786d8c082f29dcf4c111314"}},
		{1, [2]string{"8077a6c7a347a74bf93a813cad4edc5e1b53566593dac5e6b19f7b48c365842b", "8077a6c7a347a74bf93a813cad4edc5e1b53566593dac5e6b19f7b48c365842b"}},
		{2, [2]string{"a0f0213cc3a0d5405986eeabd800a7a26bc58e8558d706be25bc312dfc936915", "a0f0213cc3a0d5405986eeabd800a7a26bc58e8558d706be25bc312dfc936915"}},
		{17, [2]string{"749c5de9b0d37d99097ef376994e1cf26cea7e8aee3088548b01009c2c155bec", "749c5de9b0d37d99097ef376994e1cf26cea7e8aee3088548b01009c2c155bec"}},
		{33, [2]string{"f5c393f5af58f597ba67ea85a35a8b65d975898623a810eae5eba190885a76a4", "f5c393f5af58f597ba67ea85a35a8b65d975898623a810eae5eba190885a76a4"}},
		{34, [2]string{"1fa2c0ba3448dd345e0a0416d3309627037439459cbe16b3233c1853d1e8a035", "0c658d13774d764e2f1d95dd379e82c77fa2e118326b65ee9d762dee00fe73a4"}},
		{64, [2]string{"26bdf5ba350ae7af2a4d1a7f95a2a8450d1763b73200b26440d8701c898421b7", "48eec42616f02a18e028a3503c5fdc2ba3330f2e84672e1d3e0a7efd45ede1c9"}},
		{65, [2]string{"c5971f69ff2afb94aa97b52978aecab6f67f14acb92821cdbc2161e00108ec43", "b213018e459ea63d1b325a06567599497e495b9f98ba47176070fbf252047c90"}},
		{300, [2]string{"f09ce8a23dc0a1e91d7e6f560b1e23e87f890bfe67b40dde75f319f94553ebe6", "9857963af5d9ad63c24e5336be3c74084a0fa220a770ba252a2b306da0328c97"}},
		{20000, [2]string{"01f88183ef709facadac0a8a7b3bb90f040df82a1309f78f533ee3f2417b65e3", "6458e071a3cb07e776f875194f25e7a6861590bb8c3539045f7a54a6874f69cd"}},
	} {
		list := make([][]byte, c.n)
		for i := range list {
			list[i] = bytes.Repeat([]byte{byte(i)}, i%80)
		}
		for version, want := range c.roots {
			if got := hex.EncodeToString(orderedRoot(list, byte(version))); got != want {
				t.Errorf("root of %d items in version %d: %s, want %s", c.n, version, got, want)
			}
		}
	}
}

func TestItems(t *testing.T) {
	for _, c := range []struct {
		in   string
		want []string // nil: refused
	}{
		{"00", []string{}},
		{"04042a", []string{"\x2a"}},
		{"08000801ff", []string{"", "\x01\xff"}},
		{"", nil},
		{"04", nil},
		{"0408ff", nil},
		{"0400ff", nil},
		{"feffffff", nil},
	} {
		in, err := hex.DecodeString(c.in)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := items(in)
		if ok != (c.want != nil) || len(got) != len(c.want) {
			t.Errorf("%s: %q, %v", c.in, got, ok)
			continue
		}
		for i := range got {
			if string(got[i]) != c.want[i] {
				t.Errorf("%s: %q", c.in, got)
			}
		}
	}
}

// A list comes from a runtime's memory: whatever it is, it has a root or is none.
func FuzzOrderedRoot(f *testing.F) {
	for _, seed := range []string{"\x00", "\x04\x04\x2a", "\x08\x00\x08\x01\xff", "\xfe\xff\xff\xff"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if list, ok := items(b); ok && len(orderedRoot(list, 1)) != 32 {
			t.Errorf("%x has no root", b)
		}
	})
}
