package devnet

import (
	"errors"
	"strings"
	"testing"

	"github.com/taoctl/taoctl/executor"
)

// What is no chain spec is refused with a reason.
func TestReadSpecRefuses(t *testing.T) {
	for text, want := range map[string]string{
		``: "no chain spec", `[]`: "no chain spec", `{}`: `neither "genesis.raw"`,
		`{"genesis":{"raw":{"top":{}}}}`:                           "nothing is stored under :code",
		`{"genesis":{"raw":{"top":{"3a":"0x"}}}}`:                  "a key of its state is not hex",
		`{"genesis":{"raw":{"top":{"0x3a636f6465":"0xzz"}}}}`:      "is not hex",
		`{"genesis":{"runtimeGenesis":{"code":"x","patch":{}}}}`:   "its code is not hex",
		`{"genesis":{"runtimeGenesis":{"code":"0x00","patch":1}}}`: "no WebAssembly",
	} {
		_, err := ReadSpec(t.Context(), strings.NewReader(text))
		var bad *SpecError
		var code *executor.CodeError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &bad) && !errors.As(err, &code) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
	s, err := ReadSpec(t.Context(), strings.NewReader(`{"name":"N","id":"i","genesis":{"raw":{"top":{"0x3a636f6465":"0x01","0x02":"0x"}}}}`))
	if err != nil || s.Name != "N" || s.ID != "i" || len(s.Stored) != 2 || s.Stored[codeKey][0] != 1 {
		t.Errorf("%v %v", s, err)
	}
	if _, err := New(t.Context(), NewReal(), s.Stored, Options{}); err == nil {
		t.Error("a chain started on code that is none")
	}
}

// Amounts are larger than what a float of JSON holds.
func TestMerge(t *testing.T) {
	var base, patch any
	if err := errors.Join(exact([]byte(`{"a":{"b":21000000000000000,"c":1},"d":[1]}`), &base), exact([]byte(`{"a":{"c":9007199254740993},"d":null,"e":{"f":1}}`), &patch)); err != nil {
		t.Fatal(err)
	}
	if got := string(mustJSON(merged(base, patch))); got != `{"a":{"b":21000000000000000,"c":9007199254740993},"e":{"f":1}}` {
		t.Error(got)
	}
}

func FuzzReadSpec(f *testing.F) {
	f.Add(`{"genesis":{"raw":{"top":{"0x3a636f6465":"0x01"}}}}`)
	f.Add(`{"genesis":{"runtimeGenesis":{"code":"0x0061736d01000000","patch":{}}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ReadSpec(t.Context(), strings.NewReader(text))
		if err == nil && len(s.Stored[codeKey]) == 0 {
			t.Error("a chain spec without code")
		}
	})
}
