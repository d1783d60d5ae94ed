package embedded

import (
	"bytes"
	"fmt"
	"slices"
	"testing"

	"github.com/taoctl/taoctl/internal/declared"
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
	"entry Scheduler.Agenda": true, // Ethereum's origin is not here
	"method StakeInfoRuntimeApi.get_stake_availability_for_coldkeys": true,
}

// What is declared here is what the real chain has: the same names, numbers, and
// types, by their shape. The referenda are compared with what their source declares.
func TestLikeFinney(t *testing.T) {
	finney := parsed(t, fixture.Metadata(t, "finney-393-v16"))
	next := parsed(t, declared.Referenda(t))
	mine := New().d.metadata
	for _, p := range mine.Pallets() {
		c := comparison{t, mine, finney}
		if slices.Contains([]string{"MultiCollective", "SignedVoting", "Referenda"}, p.Name) {
			c.real = next
		}
		if p.Name != "Embedded" {
			c.pallet(p)
		}
	}
	c := comparison{t, mine, finney}
	for _, a := range mine.APIs() {
		for _, m := range a.Methods {
			c.method(a.Name, m)
		}
	}
	for _, e := range mine.Extrinsic().Extensions {
		all := finney.Extrinsic().Extensions
		at := slices.IndexFunc(all, func(x scale.Extension) bool { return x.Name == e.Name })
		if at < 0 || shape(mine, e.Extra) != shape(finney, all[at].Extra) || shape(mine, e.Implicit) != shape(finney, all[at].Implicit) {
			t.Errorf("extension %s is not finney's", e.Name)
		}
	}
}

func parsed(t *testing.T, blob []byte) *scale.Metadata {
	t.Helper()
	m, err := scale.ParseMetadata(blob)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// comparison holds metadata against those of a real chain.
type comparison struct {
	t          *testing.T
	mine, real *scale.Metadata
}

func (c comparison) pallet(p *scale.Pallet) {
	r := c.real.Pallet(p.Name)
	if r == nil || r.Index != p.Index {
		c.t.Errorf("pallet %s %d is not the chain's", p.Name, p.Index)
		return
	}
	for kind, enums := range map[string][2]*scale.Type{"call": {p.Calls, r.Calls}, "event": {p.Events, r.Events}, "error": {p.Errors, r.Errors}} {
		if enums[0] == nil {
			continue
		}
		for _, v := range enums[0].Variants {
			c.variant(kind+" "+p.Name+"."+v.Name, v, enums[1].Variant(v.Name))
		}
	}
	for _, e := range p.Storage {
		c.entry("entry "+p.Name+"."+e.Name, e, r.Entry(e.Name))
	}
	for _, k := range p.Constants {
		what, o := "constant "+p.Name+"."+k.Name, r.Constant(k.Name)
		if !later[what] && (o == nil || shape(c.mine, k.Type) != shape(c.real, o.Type) || !bytes.Equal(k.Value, o.Value)) {
			c.t.Errorf("%s is not the chain's", what)
		}
	}
}

func (c comparison) variant(what string, v scale.VariantDef, o *scale.VariantDef) {
	switch {
	case later[what]:
	case o == nil || o.Index != v.Index:
		c.t.Errorf("%s %d is not the chain's: %+v", what, v.Index, o)
	default:
		c.fields(what, v.Fields, o.Fields)
	}
}

func (c comparison) fields(what string, a, b []scale.FieldDef) {
	if len(a) != len(b) {
		c.t.Errorf("%s: %d fields, the chain has %d", what, len(a), len(b))
		return
	}
	for i := range a {
		if x, y := shape(c.mine, a[i].Type), shape(c.real, b[i].Type); a[i].Name != b[i].Name || x != y {
			c.t.Errorf("%s: field %s %s, the chain has %s %s", what, a[i].Name, x, b[i].Name, y)
		}
	}
}

func (c comparison) entry(what string, e, o *scale.Entry) {
	if later[what] {
		return
	}
	if o == nil || e.Optional != o.Optional || !slices.Equal(e.Hashers, o.Hashers) || shape(c.mine, e.Value) != shape(c.real, o.Value) {
		c.t.Errorf("%s is not the chain's: %s, %+v", what, shape(c.mine, e.Value), o)
		return
	}
	for i := range e.Keys {
		if shape(c.mine, e.Keys[i]) != shape(c.real, o.Keys[i]) {
			c.t.Errorf("%s: key %d", what, i)
		}
	}
	if !bytes.Equal(e.Default, o.Default) {
		c.t.Errorf("%s is %x by default, the chain's %x", what, e.Default, o.Default)
	}
}

func (c comparison) method(trait string, m *scale.Method) {
	what, o := "method "+trait+"."+m.Name, c.real.API(trait, m.Name)
	switch {
	case later[what]:
	case o == nil || shape(c.mine, m.Output) != shape(c.real, o.Output):
		c.t.Errorf("%s is not the chain's", what)
	default:
		c.fields(what, m.Inputs, o.Inputs)
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
			s += fmt.Sprintf("|%d %s", v.Index, v.Name)
			for _, f := range v.Fields {
				s += " " + f.Name + ":" + shape(m, f.Type)
			}
		}
		return s
	}
	return m.Describe(id)
}
