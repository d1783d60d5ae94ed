package tx

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"

	"github.com/taoctl/taoctl/chain"
	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
	"github.com/taoctl/taoctl/tao"
)

// runtimeWith reads real metadata in which a name is replaced by another of the
// same length, as a later runtime might have it.
func runtimeWith(t testing.TB, blob, old, replacement string) *chain.Runtime {
	t.Helper()
	b := fixture.Metadata(t, blob)
	if len(old) != len(replacement) || !bytes.Contains(b, []byte(old)) {
		t.Fatalf("%q cannot be replaced by %q", old, replacement)
	}
	meta, err := scale.ParseMetadata(bytes.ReplaceAll(b, []byte(old), []byte(replacement)))
	if err != nil {
		t.Fatal(err)
	}
	spec, err := chain.SpecOf(meta)
	if err != nil {
		t.Fatal(err)
	}
	return chain.NewRuntime(spec, meta)
}

func someTerms(rt *chain.Runtime) terms {
	return terms{spec: rt.Spec(), genesis: tao.Hash{1}, nonce: 7, era: Era{Period: 64, Birth: 128, BirthHash: tao.Hash{2}}, tip: 3}
}

// An extension that nobody here knows passes if it encodes to nothing, and stops
// everything if it does not.
func TestUnknownExtensions(t *testing.T) {
	known := runtimeWith(t, "finney-393-v16", "DrandPriority", "DrandPriority")
	want, implicit, err := encodeExtensions(known, someTerms(known))
	if err != nil {
		t.Fatal(err)
	}
	empty := runtimeWith(t, "finney-393-v16", "DrandPriority", "DrandNovelty!")
	extra, imp, err := encodeExtensions(empty, someTerms(empty))
	if err != nil || !bytes.Equal(extra, want) || !bytes.Equal(imp, implicit) {
		t.Errorf("an unknown extension without data: %x, %x, %v", extra, imp, err)
	}
	for _, name := range []string{"CheckNonce", "ChargeTransactionPayment", "CheckMortality", "CheckSpecVersion", "CheckMetadataHash"} {
		rt := runtimeWith(t, "finney-393-v16", name, "X"+name[1:])
		_, _, err := encodeExtensions(rt, someTerms(rt))
		var unknown *ExtensionError
		if !errors.As(err, &unknown) || unknown.Name != "X"+name[1:] {
			t.Errorf("an unknown extension with data in place of %s: %v", name, err)
		}
	}
}

// The bytes of the extensions, generation by generation, written out by hand
// from the chain's facts (metadata of each runtime): era, nonce and tip; spec,
// transaction version, genesis, birth; and the metadata hash where it exists.
func TestExtensionBytes(t *testing.T) {
	for name, withMetadataHash := range map[string]bool{
		"testfinney-103-v14": false, "raonet-218-v14": true, "devnet-240-v15": true, "finney-393-v16": true,
	} {
		rt := runtimeWith(t, name, "CheckNonce", "CheckNonce")
		extra, implicit, err := encodeExtensions(rt, someTerms(rt))
		if err != nil {
			t.Fatal(err)
		}
		wantExtra := []byte{0x05, 0x00, 7 << 2, 3 << 2}
		spec := rt.Spec().SpecVersion
		wantImplicit := append([]byte{byte(spec), byte(spec >> 8), 0, 0, 1, 0, 0, 0, 1}, make([]byte, 31)...)
		wantImplicit = append(append(wantImplicit, 2), make([]byte, 31)...)
		if withMetadataHash {
			wantExtra, wantImplicit = append(wantExtra, 0), append(wantImplicit, 0)
		}
		if !bytes.Equal(extra, wantExtra) || !bytes.Equal(implicit, wantImplicit) {
			t.Errorf("%s:\nextra    %x\nwant     %x\nimplicit %x\nwant     %x", name, extra, wantExtra, implicit, wantImplicit)
		}
	}
}

func TestParseStatus(t *testing.T) {
	const hash = `"0x00000000000000000000000000000000000000000000000000000000000000aa"`
	for text, want := range map[string]string{
		`"ready"`: "ready", `{"ready":null}`: "ready", `"future"`: "future", `{"broadcast":["a","b"]}`: "broadcast",
		`{"inBlock":` + hash + `}`: "included", `{"finalized":` + hash + `}`: "finalized", `{"retracted":` + hash + `}`: "retracted",
		`"invalid"`: "invalid", `{"invalid":{"stale":null}}`: "invalid", `"dropped"`: "dropped", `{"usurped":` + hash + `}`: "usurped",
		`{"finalityTimeout":` + hash + `}`: "finality-timeout",
	} {
		st, err := parseStatus(json.RawMessage(text))
		if err != nil || st.stage != want {
			t.Errorf("%s: %+v, %v", text, st, err)
		}
		if needs := want == "included" || want == "finalized"; needs != (st.block != nil) {
			t.Errorf("%s: block %v", text, st.block)
		}
	}
	for _, bad := range []string{``, `null`, `1`, `"new"`, `{}`, `{"inBlock":null}`, `{"inBlock":"0x12"}`, `{"ready":1,"future":2}`, `[]`, `{"inBlock":5}`} {
		if st, err := parseStatus(json.RawMessage(bad)); err == nil {
			t.Errorf("%s was read as %+v", bad, st)
		}
	}
}

func FuzzParseStatus(f *testing.F) {
	f.Add([]byte(`{"inBlock":"0x00000000000000000000000000000000000000000000000000000000000000aa"}`))
	f.Add([]byte(`"ready"`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if st, err := parseStatus(b); err == nil && st.stage == "" {
			t.Errorf("%q has no stage", b)
		}
	})
}

func FuzzDecode(f *testing.F) {
	rt := runtimeWith(f, "finney-393-v16", "CheckNonce", "CheckNonce")
	plan := Plan{Call: chain.Call{Pallet: "System", Name: "remark", Args: chain.Args{"remark": []byte("hi")}}}
	d, err := PrepareOffline(rt, plan, Offline{Genesis: tao.Hash{1}, Era: Era{Period: 64, Birth: 100}})
	if err != nil {
		f.Fatal(err)
	}
	x, err := d.assemble(tao.Signature{Scheme: tao.Sr25519, Bytes: make([]byte, 64)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(x.Bytes, uint32(100))
	f.Add(d.Payload(), uint32(0))
	f.Add(d.call, uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, near uint32) {
		got, err := Decode(rt, b, near)
		if err != nil {
			return
		}
		// What was read encodes to the bytes that it was read from.
		if again, err := rt.Encode(got.Call); err != nil || !bytes.Equal(again, got.CallBytes) {
			t.Errorf("call %s: %x, %v; read from %x", got.Call, again, err, got.CallBytes)
		}
	})
}
