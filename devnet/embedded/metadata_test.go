package embedded

import (
	"bytes"
	"slices"
	"testing"

	"github.com/taoctl/taoctl/internal/fixture"
	"github.com/taoctl/taoctl/scale"
)

// Both forms of the metadata can be read, and say the same.
func TestMetadata(t *testing.T) {
	d := New().d
	for version, blob := range map[int][]byte{14: d.v14, 15: d.v15} {
		m, err := scale.ParseMetadata(blob)
		if err != nil {
			t.Fatalf("V%d: %v", version, err)
		}
		if m.Version() != version || len(m.Pallets()) != len(pallets()) || len(m.Extrinsic().Extensions) != len(extensions) {
			t.Errorf("V%d: %d pallets, %d extensions", m.Version(), len(m.Pallets()), len(m.Extrinsic().Extensions))
		}
		for _, p := range m.Pallets() {
			for _, e := range p.Storage {
				var v any
				if !e.Optional && m.Decode(e.Value, e.Default, &v) != nil {
					t.Errorf("V%d: the default of %s.%s is no value", version, p.Name, e.Name)
				}
			}
			for _, c := range p.Constants {
				var v any
				if m.Decode(c.Type, c.Value, &v) != nil {
					t.Errorf("V%d: the constant %s.%s is no value", version, p.Name, c.Name)
				}
			}
		}
	}
}

// later are what spec 393 does not have yet, or has in another form: they came up to
// spec 475.
var later = map[string]bool{
	"call SubtensorModule.register_limit": true, "call SubtensorModule.pow_register": true,
	"error SubtensorModule.RegistrationPriceLimitExceeded": true, "entry SubtensorModule.BurnHalfLife": true,
	"entry SubtensorModule.BurnIncreaseMult": true, "entry SubtensorModule.LastPowRegistrationBlock": true,
	"entry SubtensorModule.NetworkPowRegistrationAllowed": true,                                  // false by default now
	"constant SubtensorModule.InitialMinStake":            true, "constant System.Version": true, // another one
	"method StakeInfoRuntimeApi.get_stake_availability_for_coldkeys": true,
}

// What is declared here is what the real chain has: the same names, numbers, and
// types, by their shape.
func TestLikeFinney(t *testing.T) {
	real, err := scale.ParseMetadata(fixture.Metadata(t, "finney-393-v16"))
	if err != nil {
		t.Fatal(err)
	}
	mine := New().d.metadata
	same := func(what string, a, b []scale.FieldDef) {
		if len(a) != len(b) {
			t.Errorf("%s: %d fields, finney has %d", what, len(a), len(b))
			return
		}
		for i := range a {
			if x, y := shape(mine, a[i].Type), shape(real, b[i].Type); a[i].Name != b[i].Name || x != y {
				t.Errorf("%s: field %s %s, finney has %s %s", what, a[i].Name, x, b[i].Name, y)
			}
		}
	}
	for _, p := range mine.Pallets() {
		r := real.Pallet(p.Name)
		if p.Name == "Embedded" {
			continue
		}
		if r == nil || r.Index != p.Index {
			t.Errorf("pallet %s %d is not finney's", p.Name, p.Index)
			continue
		}
		for kind, enums := range map[string][2]*scale.Type{"call": {p.Calls, r.Calls}, "event": {p.Events, r.Events}, "error": {p.Errors, r.Errors}} {
			if enums[0] == nil {
				continue
			}
			for _, v := range enums[0].Variants {
				what := kind + " " + p.Name + "." + v.Name
				if later[what] {
					continue
				}
				o := enums[1].Variant(v.Name)
				if o == nil || o.Index != v.Index {
					t.Errorf("%s %d is not finney's: %+v", what, v.Index, o)
					continue
				}
				same(what, v.Fields, o.Fields)
			}
		}
		for _, e := range p.Storage {
			what, o := "entry "+p.Name+"."+e.Name, r.Entry(e.Name)
			if later[what] {
				continue
			}
			if o == nil || e.Optional != o.Optional || !slices.Equal(e.Hashers, o.Hashers) || shape(mine, e.Value) != shape(real, o.Value) {
				t.Errorf("%s is not finney's: %s, %+v", what, shape(mine, e.Value), o)
				continue
			}
			for i := range e.Keys {
				if shape(mine, e.Keys[i]) != shape(real, o.Keys[i]) {
					t.Errorf("%s: key %d", what, i)
				}
			}
			if !bytes.Equal(e.Default, o.Default) {
				t.Errorf("%s is %x by default, finney's %x", what, e.Default, o.Default)
			}
		}
		for _, c := range p.Constants {
			o := r.Constant(c.Name)
			if what := "constant " + p.Name + "." + c.Name; !later[what] && (o == nil || shape(mine, c.Type) != shape(real, o.Type) || !bytes.Equal(c.Value, o.Value)) {
				t.Errorf("%s is not finney's", what)
			}
		}
	}
	for _, a := range mine.APIs() {
		for _, m := range a.Methods {
			what, o := "method "+a.Name+"."+m.Name, real.API(a.Name, m.Name)
			if later[what] {
				continue
			}
			if o == nil || shape(mine, m.Output) != shape(real, o.Output) {
				t.Errorf("%s is not finney's", what)
				continue
			}
			same(what, m.Inputs, o.Inputs)
		}
	}
	for i, e := range mine.Extrinsic().Extensions {
		o := real.Extrinsic().Extensions
		if i >= len(o) {
			break
		}
		at := slices.IndexFunc(o, func(x scale.Extension) bool { return x.Name == e.Name })
		if at < 0 || shape(mine, e.Extra) != shape(real, o[at].Extra) || shape(mine, e.Implicit) != shape(real, o[at].Implicit) {
			t.Errorf("extension %s is not finney's", e.Name)
		}
	}
}

// shape is what a type's values look like, whatever its parts are called.
func shape(m *scale.Metadata, id scale.TypeID) string {
	t := m.Type(id)
	switch t.Kind {
	case scale.KindComposite:
		if len(t.Fields) == 1 && t.Fields[0].Name == "" {
			return shape(m, t.Fields[0].Type)
		}
		s := "{"
		for _, f := range t.Fields {
			s += f.Name + ": " + shape(m, f.Type) + ","
		}
		return s + "}"
	case scale.KindSequence:
		return "Vec<" + shape(m, t.Elem) + ">"
	case scale.KindCompact:
		return "Compact<" + shape(m, t.Elem) + ">"
	case scale.KindTuple:
		s := "("
		for _, f := range t.Fields {
			s += shape(m, f.Type) + ","
		}
		return s + ")"
	case scale.KindVariant:
		name := t.Path[len(t.Path)-1]
		if name == "RuntimeCall" || name == "RuntimeEvent" {
			return name
		}
		s := ""
		for _, v := range t.Variants {
			s += "|" + v.Name
			for _, f := range v.Fields {
				s += " " + f.Name + ":" + shape(m, f.Type)
			}
		}
		return s
	}
	return m.Describe(id)
}
