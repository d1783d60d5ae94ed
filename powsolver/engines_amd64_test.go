//go:build !purego

package powsolver

import (
	"reflect"
	"slices"
	"testing"
)

// TestFeaturesOff turns the CPU's features off one by one: what is left must be
// chosen, and agree with the definition on every vector.
func TestFeaturesOff(t *testing.T) {
	for _, test := range []struct {
		name string
		off  func(*features)
		want []string // of a CPU with everything
	}{
		{"nothing", func(*features) {}, []string{"avx512", "avx2"}},
		{"avx512", func(f *features) { f.avx512 = false }, []string{"avx2"}},
		{"avx2", func(f *features) { f.avx2 = false }, []string{"avx512"}},
		{"sha", func(f *features) { f.sha = false }, []string{"avx512"}},
		{"avx512 and sha", func(f *features) { f.avx512, f.sha = false, false }, nil},
		{"all", func(f *features) { *f = features{} }, nil},
	} {
		every := features{avx512: true, avx2: true, sha: true}
		test.off(&every)
		if got := names(every.engines()); !slices.Equal(got, test.want) {
			t.Errorf("without %s: engines %v, want %v", test.name, got, test.want)
		}

		here := detect()
		test.off(&here)
		e, dropped := selectFrom(append(here.engines(), portableEngine()))
		if e == nil || len(dropped) > 0 {
			t.Errorf("without %s: selected %v, dropped %v", test.name, e, dropped)
			continue
		}
		t.Run(test.name+" off, "+e.Name(), func(t *testing.T) { testVectors(t, e) })
	}
	t.Logf("this CPU: %+v", detect())
}

func names(engines []*Engine) (names []string) {
	for _, e := range engines {
		names = append(names, e.Name())
	}
	return names
}

// TestFeaturesAreTested keeps the list above complete.
func TestFeaturesAreTested(t *testing.T) {
	if n := reflect.TypeFor[features]().NumField(); n != 3 {
		t.Errorf("features has %d fields; TestFeaturesOff turns off 3", n)
	}
}
