//go:build unix

package scripttest

import "testing"

func TestLookUp(t *testing.T) {
	const doc = `{"a":[{"b":"x"},{"c":18446744073709551615}],"n":null}` + "\n"
	for path, want := range map[string]string{
		"a.0.b": "x", "a.1.c": "18446744073709551615", "a.length": "2", "n": "null", "a.0": `{"b":"x"}`,
	} {
		if got, err := lookUp([]byte(doc), path); err != nil || got != want {
			t.Errorf("%s: %q, %v; want %q", path, got, err, want)
		}
	}
	for _, path := range []string{"z", "a.2", "a.x", "a.0.b.c"} {
		if got, err := lookUp([]byte(doc), path); err == nil {
			t.Errorf("%s: %q, want an error", path, got)
		}
	}
	if got, err := lookUp([]byte(`{"a":1}{"b":2}`), "a"); err == nil {
		t.Errorf("what is no JSON gives %q", got)
	}
}
