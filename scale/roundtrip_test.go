package scale

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
)

// eachSample runs check on generated encodings of every type of every blob.
func eachSample(t *testing.T, check func(t *testing.T, m *Metadata, id TypeID, b []byte)) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			m := load(t, name)
			g := newGenerator(m)
			types, samples := 0, 0
			for id := range TypeID(m.Types()) {
				list := g.samples(id)
				for _, b := range list {
					check(t, m, id, b)
				}
				samples += len(list)
				if len(list) > 0 {
					types++
				}
			}
			t.Logf("%d samples of %d of %d types; the others have no values", samples, types, m.Types())
			if types < m.Types()*98/100 {
				t.Errorf("only %d of %d types have samples", types, m.Types())
			}
		})
	}
}

// reencode decodes and encodes again.
func reencode(t *testing.T, m *Metadata, id TypeID, b []byte) (v any) {
	t.Helper()
	if err := m.Decode(id, b, &v); err != nil {
		t.Fatalf("type %d %s: decode 0x%x: %v", id, m.TypeName(id), b, err)
	}
	mustEncode(t, m, id, v, b)
	return v
}

func mustEncode(t *testing.T, m *Metadata, id TypeID, v any, want []byte) {
	t.Helper()
	got, err := m.Encode(nil, id, v)
	if err != nil {
		t.Fatalf("type %d %s: encode %v: %v", id, m.TypeName(id), v, err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("type %d %s: 0x%x became 0x%x", id, m.TypeName(id), want, got)
	}
}

func TestDynamicRoundTrip(t *testing.T) {
	eachSample(t, func(t *testing.T, m *Metadata, id TypeID, b []byte) { reencode(t, m, id, b) })
}

// What a person reads as JSON can be given back, and means the same bytes.
func TestJSONRoundTrip(t *testing.T) {
	eachSample(t, func(t *testing.T, m *Metadata, id TypeID, b []byte) {
		var v any
		if err := m.Decode(id, b, &v); err != nil {
			t.Fatal(err)
		}
		text, err := JSON(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseJSON(string(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		mustEncode(t, m, id, back, b)
	})
}

// A Go type declared for a type of the chain holds all of it. The same pairs of
// types come again and again, so this is the plan cache's test as well.
func TestTypedRoundTrip(t *testing.T) {
	g := &goTypes{}
	eachSample(t, func(t *testing.T, m *Metadata, id TypeID, b []byte) {
		if g.m != m {
			g = &goTypes{m, make(map[TypeID]reflect.Type)}
		}
		into := reflect.New(g.of(id))
		if err := m.Decode(id, b, into.Interface()); err != nil {
			t.Fatalf("type %d %s: decode 0x%x: %v", id, m.TypeName(id), b, err)
		}
		mustEncode(t, m, id, into.Elem().Interface(), b)
	})
}

// Passing over a value takes the bytes that reading it takes.
func TestSkip(t *testing.T) {
	eachSample(t, func(t *testing.T, m *Metadata, id TypeID, b []byte) {
		d := decoder{m: m, cursor: cursor{b: b}, steps: freeSteps}
		d.skip(id, 0)
		if d.err != nil || d.left() > 0 {
			t.Fatalf("type %d %s: skip 0x%x: %v, %d bytes left", id, m.TypeName(id), b, d.err, d.left())
		}
	})
}

// No encoding may be cut short, and none may be followed by anything.
func TestTruncated(t *testing.T) {
	eachSample(t, func(t *testing.T, m *Metadata, id TypeID, b []byte) {
		var v any
		if len(b) > 0 && m.Decode(id, b[:len(b)-1], &v) == nil {
			t.Fatalf("type %d %s: 0x%x decodes without its last byte", id, m.TypeName(id), b)
		}
		if m.Decode(id, append(bytes.Clone(b), 0), &v) == nil {
			t.Fatalf("type %d %s: 0x%x decodes with a byte too many", id, m.TypeName(id), b)
		}
	})
}

func TestConstantsAndDefaults(t *testing.T) {
	for _, name := range fixture.Names(t) {
		t.Run(name, func(t *testing.T) {
			m, n := load(t, name), 0
			for _, p := range m.Pallets() {
				for _, c := range p.Constants {
					reencode(t, m, c.Type, c.Value)
					n++
				}
				for _, e := range p.Storage {
					n++
					if e.Optional { // the default of an Option<T> entry is the encoding of None
						if !bytes.Equal(e.Default, []byte{0}) {
							t.Errorf("%s.%s: default 0x%x of an optional entry", p.Name, e.Name, e.Default)
						}
						continue
					}
					reencode(t, m, e.Value, e.Default)
				}
			}
			t.Logf("%d constants and storage entries", n)
		})
	}
}
