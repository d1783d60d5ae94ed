package tx

import (
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// The vectors are those of Substrate's own tests of Era (primitives/runtime/
// src/generic/era.rs, mortal_works_like_a_charm and its neighbours) and of
// polkadot.js.
func TestEraBytes(t *testing.T) {
	meta, era := eraType(t)
	for _, c := range []struct {
		period, current uint32
		want            [2]byte
	}{
		{64, 42, [2]byte{5 + 42%16*16, 42 / 16}},
		{32768, 20000, [2]byte{78, 156}},
		{64, 0, [2]byte{5, 0}},
		{4, 3, [2]byte{0x31, 0}},
		{65536, 65535, [2]byte{0xff, 0xff}},
	} {
		b, err := meta.Encode(nil, era, MortalAt(c.period, c.current).value())
		if err != nil || [2]byte(b) != c.want {
			t.Errorf("era of %d blocks at %d: %x, %v; want %x", c.period, c.current, b, err, c.want)
		}
	}
	if b, err := meta.Encode(nil, era, Era{}.value()); err != nil || len(b) != 1 || b[0] != 0 {
		t.Errorf("immortal: %x, %v", b, err)
	}
}

// eraType finds the chain's Era in real metadata.
func eraType(t testing.TB) (*scale.Metadata, scale.TypeID) {
	t.Helper()
	meta, err := scale.ParseMetadata(fixture.Metadata(t, "raonet-218-v14"))
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range meta.Extrinsic().Extensions {
		if isEra(x.Name) {
			return meta, x.Extra
		}
	}
	t.Fatal("no era in the metadata")
	return nil, 0
}

// Whatever era is encoded is read back, its last block is its birth plus its
// period less one, and the block that it was made at lies inside.
func TestEraRoundTrip(t *testing.T) {
	meta, id := eraType(t)
	for period := uint32(MinPeriod); period <= MaxPeriod; period *= 2 {
		for _, current := range []uint32{0, 1, 3, 4, 63, 64, 65, 4095, 4096, 65_535, 65_536, 9_233_781} {
			e := MortalAt(period, current)
			if e.Birth > current || current-e.Birth >= quantum(period) {
				t.Errorf("era of %d at %d begins at %d", period, current, e.Birth)
			}
			b, err := meta.Encode(nil, id, e.value())
			if err != nil {
				t.Fatal(err)
			}
			var v any
			if err := meta.Decode(id, b, &v); err != nil {
				t.Fatal(err)
			}
			if back, err := eraOf(v, current); err != nil || back != e {
				t.Errorf("era %+v read back as %+v, %v", e, back, err)
			}
			if last, ok := e.Last(); !ok || last != e.Birth+period-1 {
				t.Errorf("era %+v ends at %d", e, last)
			}
		}
	}
}

func TestRoundPeriod(t *testing.T) {
	for n, want := range map[uint32]uint32{1: 4, 4: 4, 5: 8, 64: 64, 65: 128, 65536: 65536} {
		if got, err := RoundPeriod(n); err != nil || got != want {
			t.Errorf("RoundPeriod(%d) = %d, %v", n, got, err)
		}
	}
	if _, err := RoundPeriod(65537); err == nil {
		t.Error("an era of 65537 blocks passed")
	}
}

func TestParseEra(t *testing.T) {
	hash := tao.Hash{1}.String()
	e, err := ParseEra("64:1000:" + hash)
	if err != nil || e.Period != 64 || e.Birth != 1000 || e.BirthHash != (tao.Hash{1}) {
		t.Errorf("%+v, %v", e, err)
	}
	if e, err := ParseEra("immortal"); err != nil || !e.Immortal() {
		t.Errorf("%+v, %v", e, err)
	}
	for _, bad := range []string{"", "64", "64:1", "63:1:" + hash, "2:1:" + hash, "131072:1:" + hash, "64:x:" + hash, "64:1:0x12", "64:-1:" + hash, "mortal"} {
		if e, err := ParseEra(bad); err == nil {
			t.Errorf("ParseEra(%q) = %+v", bad, e)
		}
	}
}

func FuzzParseEra(f *testing.F) {
	f.Add("immortal")
	f.Add("64:1000:" + tao.Hash{1}.String())
	f.Fuzz(func(t *testing.T, s string) {
		e, err := ParseEra(s)
		if err != nil {
			return
		}
		if back, err := ParseEra(e.String()); err != nil || back != e {
			t.Errorf("%q is %+v, read back %+v, %v", s, e, back, err)
		}
	})
}
