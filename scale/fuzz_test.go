package scale

import (
	"bytes"
	"encoding/json"
	"reflect"
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
)

// Whatever is accepted is sound: every question about it has an answer. A blob
// is a real one with a patch written over it, or, beyond those, the patch alone:
// the fuzzer cannot move inputs of 300 kB at any speed.
func FuzzParseMetadata(f *testing.F) {
	var real [][]byte
	for i, name := range fixture.Names(f) {
		blob := fixture.Metadata(f, name)
		real = append(real, blob)
		for _, at := range []int{0, 5, 100, len(blob) / 2, len(blob) - 2000, len(blob) - 100} {
			f.Add(uint8(i), uint32(at), blob[at:at+20])
			f.Add(uint8(i), uint32(at), []byte{0xff})
		}
	}
	f.Add(uint8(len(real)), uint32(0), blobOf(Type{Kind: KindPrimitive, Primitive: U8}))
	f.Add(uint8(len(real)), uint32(0), blobOf(Type{Kind: KindTuple, Fields: []FieldDef{{Type: 0}}}))
	f.Fuzz(func(t *testing.T, which uint8, at uint32, patch []byte) {
		blob := patch
		if i := int(which) % (len(real) + 1); i < len(real) {
			blob = bytes.Clone(real[i])
			copy(blob[int(at)%len(blob):], patch)
		}
		if m, err := ParseMetadata(blob); err == nil {
			checkSound(t, m)
		}
	})
}

func checkSound(t *testing.T, m *Metadata) {
	for id := range TypeID(m.Types()) {
		m.TypeName(id)
		m.IsEmpty(id)
		var v any
		if m.Decode(id, []byte{1, 4, 0, 0}, &v) != nil {
			continue
		}
		if _, err := m.Encode(nil, id, v); err != nil {
			t.Fatalf("type %d: %v does not encode: %v", id, v, err)
		}
	}
	for _, p := range m.Pallets() {
		for _, e := range p.Storage {
			_ = e.Docs.Lines()
			_ = m.DecodeStorageKey(e, e.Prefix(), make([]any, len(e.Keys))...)
		}
	}
	m.EventRecords()
	_, _, _, _, _ = m.DecodeCall([]byte{0, 0})
}

// Whatever decodes, encodes to the same bytes; passing over it takes as many.
func FuzzDecode(f *testing.F) {
	var all []*Metadata
	for i, name := range fixture.Names(f) {
		m := load(f, name)
		all = append(all, m)
		g := newGenerator(m)
		for id := range TypeID(m.Types()) {
			if b, ok := g.value(nil, id, 0); ok && id%7 == 0 {
				f.Add(uint8(i), uint32(id), b)
			}
		}
	}
	shapesAt := len(all)
	all = append(all, shapes(f))
	for id := range TypeID(all[shapesAt].Types()) {
		f.Add(uint8(shapesAt), uint32(id), []byte{1, 4, 0, 0})
	}
	f.Fuzz(func(t *testing.T, blob uint8, id uint32, b []byte) {
		m := all[int(blob)%len(all)]
		checkDecode(t, m, TypeID(id)%TypeID(m.Types()), b)
	})
}

func checkDecode(t *testing.T, m *Metadata, id TypeID, b []byte) {
	var v any
	rest, err := m.DecodePrefix(id, b, &v)
	skipped, skipErr := m.DecodePrefix(id, b, nil)
	if (err == nil) != (skipErr == nil) || len(rest) != len(skipped) {
		t.Fatalf("%s: decoding leaves %x, %v; passing over leaves %x, %v", m.TypeName(id), rest, err, skipped, skipErr)
	}
	into := reflect.New((&goTypes{m, make(map[TypeID]reflect.Type)}).of(id))
	typedRest, typedErr := m.DecodePrefix(id, b, into.Interface())
	if (err == nil) != (typedErr == nil) || len(rest) != len(typedRest) {
		t.Fatalf("%s: decoding leaves %x, %v; into %s it leaves %x, %v", m.TypeName(id), rest, err, into.Type(), typedRest, typedErr)
	}
	if err != nil {
		return
	}
	want := b[:len(b)-len(rest)]
	for _, v := range []any{v, into.Elem().Interface()} {
		if got, err := m.Encode(nil, id, v); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%s: %x became %x, %v", m.TypeName(id), want, got, err)
		}
	}
	if _, err := JSON(v); err != nil {
		t.Fatalf("%s: %v: %v", m.TypeName(id), v, err)
	}
}

func FuzzCompact(f *testing.F) {
	for _, b := range [][]byte{{0}, {0xfc}, {1, 1}, {0xfd, 0xff}, {2, 0, 1, 0}, {3, 0, 0, 0, 0x40}, {0x13, 255, 255, 255, 255, 255, 255, 255, 255}, {0x17, 0, 0, 0, 0, 0, 0, 0, 0, 1}} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c := cursor{b: b}
		small, large := c.compactAny()
		v, rest, err := DecodeCompact(b)
		if c.err != nil || large != nil {
			if err == nil {
				t.Fatalf("%x is read as %d", b, v)
			}
			if large != nil && c.err == nil && !bytes.HasPrefix(b, encodeCompactBig(nil, large)) {
				t.Fatalf("%x is read as %s", b, large)
			}
			return
		}
		if err != nil || v != small || !bytes.Equal(EncodeCompact(nil, v), b[:len(b)-len(rest)]) {
			t.Fatalf("%x is read as %d and %d, %v", b, v, small, err)
		}
	})
}

// Whatever a person types is either refused, or comes back when decoded.
func FuzzText(f *testing.F) {
	m := shapes(f)
	for id := range TypeID(m.Types()) {
		for _, s := range []string{"1", "0x01020304", "true", "None", "none", "0b101", "-1", "18446744073709551615", "hello", ""} {
			f.Add(uint32(id), s)
		}
	}
	f.Fuzz(func(t *testing.T, n uint32, s string) {
		id := TypeID(n) % TypeID(m.Types())
		b, err := m.Encode(nil, id, Text(s))
		if err != nil {
			return
		}
		var v any
		if err := m.Decode(id, b, &v); err != nil {
			t.Fatalf("%s: %q is encoded as %x: %v", m.TypeName(id), s, b, err)
		}
		if text, ok := v.(string); ok && text != s {
			t.Fatalf("%s: %q came back as %q", m.TypeName(id), s, text)
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	for _, s := range []string{`null`, `{"a":[1,"0x",{"b":null}],"c":false}`, `{"a":1,"a":2}`, `[1,2] 3`, `-1.5e3`, `"\ud800"`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseJSON(s)
		if err != nil {
			return
		}
		if !json.Valid([]byte(s)) {
			t.Fatalf("%q is read as %#v and is no JSON", s, v)
		}
		text, err := JSON(v)
		if err != nil {
			t.Fatalf("%q is read as %#v: %v", s, v, err)
		}
		if back, err := ParseJSON(string(text)); err != nil || !reflect.DeepEqual(back, v) {
			t.Fatalf("%q became %s, then %#v, %v", s, text, back, err)
		}
	})
}

// Whatever is read as the keys of a map makes the same storage key again.
func FuzzStorageKey(f *testing.F) {
	m := load(f, "localnet-461-v15")
	var entries []*Entry
	g := newGenerator(m)
	for _, p := range m.Pallets() {
		for _, e := range p.Storage {
			b := []byte{}
			for i, id := range e.Keys {
				key, _ := g.value(nil, id, 0)
				if b = e.Hashers[i].hash(b, key); !e.Hashers[i].opaque() {
					b = append(b, key...)
				}
			}
			f.Add(uint16(len(entries)), b)
			entries = append(entries, e)
		}
	}
	f.Fuzz(func(t *testing.T, n uint16, b []byte) {
		e := entries[int(n)%len(entries)]
		key := append(e.Prefix(), b...)
		keys, into := make([]any, len(e.Keys)), make([]any, len(e.Keys))
		for i := range keys {
			into[i] = &keys[i]
		}
		if m.DecodeStorageKey(e, key, into...) != nil {
			return
		}
		if back, err := m.StorageKey(e, keys...); err != nil || !bytes.Equal(back, key) {
			t.Fatalf("%s: %x became %x, %v", e.Name, key, back, err)
		}
	})
}
