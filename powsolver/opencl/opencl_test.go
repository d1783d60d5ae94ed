package opencl

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/taoctl/taoctl/powsolver"
)

// TestAnswers holds the known answers against the definition: they are typed in.
func TestAnswers(t *testing.T) {
	forms := map[string]int{}
	for _, a := range answers() {
		forms[a.puzzle.Kind.String()+" "+a.puzzle.Order.String()]++
		lane, err := a.lane()
		if err != nil || lane != deciding(a.puzzle, a.nonce) {
			t.Errorf("%s seal of nonce %#x: lane %#x, %v; want %#x", a.puzzle.Kind, a.nonce, lane, err, deciding(a.puzzle, a.nonce))
		}
	}
	if len(forms) != 3 {
		t.Errorf("answers for %v; want two byte orders of legacy, and v475", forms)
	}
	if _, err := (answer{seal: "00"}).lane(); err == nil {
		t.Error("a short seal has a lane")
	}
}

// TestJob compares the order of a job's words with what kernel.cl says of it.
func TestJob(t *testing.T) {
	p := powsolver.Prepared{Word0: 1000, A1: 1001, E1: 1002}
	for i := range p.State {
		p.State[i] = uint32(i)
	}
	for i := range p.KW {
		p.KW[i], p.C[i] = 100+uint32(i), 200+uint32(i)
	}
	job := jobOf(p)
	for at, want := range map[int]uint32{0: 0, 7: 7, 8: 1000, 9: 1001, 10: 1002, 11 + 1: 101, 11 + 22: 122, 34: 216, 34 + 37 - 16: 237} {
		if job[at] != want {
			t.Errorf("word %d is %d, want %d", at, job[at], want)
		}
	}
	for _, line := range []string{
		"#define STATE(i) job[i]", "#define WORD0 job[8]", "#define A1 job[9]", "#define E1 job[10]",
		"#define KW(i) job[11 + (i)]", "#define C(i) job[34 + (i) - 16]",
	} {
		if !strings.Contains(source, line) {
			t.Errorf("kernel.cl has no line %q", line)
		}
	}
}

func TestKernelWidth(t *testing.T) {
	for native, want := range map[uint32]uint32{0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 8: 8, 16: 8} {
		if got := kernelWidth(native); got != want {
			t.Errorf("a vector of %d: width %d, want %d", native, got, want)
		}
	}
}

func TestKindName(t *testing.T) {
	for kind, want := range map[uint64]string{
		typeGPU: "gpu", typeCPU: "cpu", typeAccelerator: "accelerator", typeGPU | 1: "gpu", 1: "other", 0: "other",
	} {
		if got := kindName(kind); got != want {
			t.Errorf("type %#x is %q, want %q", kind, got, want)
		}
	}
}

// TestAdapt lets launches grow and shrink to where they should be, between bounds.
func TestAdapt(t *testing.T) {
	const perSecond = 1 << 30
	w := &Worker{step: 1 << 9, least: 1 << 10, batch: 1 << 10}
	launch := func(rate float64) time.Duration {
		took := time.Duration(float64(w.batch) / rate * float64(time.Second))
		w.adapt(took)
		return took
	}
	for _, rate := range []float64{perSecond, perSecond / 64, 4 * perSecond} {
		for range 40 {
			launch(rate)
		}
		if took := launch(rate); took < launchTime/2 || took > launchTime*3/2 {
			t.Errorf("at %.0f seals a second a launch takes %v", rate, took)
		}
	}
	for range 40 {
		launch(1)
	}
	if w.batch != w.least {
		t.Errorf("the slowest device is given %d seals at once, want %d", w.batch, w.least)
	}
	for range 40 {
		launch(1e15)
	}
	if w.batch != 1<<30 {
		t.Errorf("the fastest device is given %d seals at once, want %d", w.batch, 1<<30)
	}
}

func TestFailed(t *testing.T) {
	if err := failed("clFinish", 0); err != nil {
		t.Error(err)
	}
	var call *CallError
	if err := failed("clFinish", -36); !errors.As(err, &call) || call.Code != -36 || err.Error() != "clFinish failed with OpenCL's error -36" {
		t.Errorf("got %v", err)
	}
}
