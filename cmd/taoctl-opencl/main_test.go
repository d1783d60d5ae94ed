package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// asProgram makes the test binary the program; asPrinter makes it a program whose
// driver prints.
const asProgram, asPrinter = "TAOCTL_TEST_PROGRAM", "TAOCTL_TEST_PRINTER"

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asProgram) != "":
		os.Exit(run())
	case os.Getenv(asPrinter) != "":
		out, err := redirect()
		if err != nil {
			panic(err)
		}
		fmt.Fprint(os.Stdout, "driver")
		fmt.Fprint(out, "protocol")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func program(t *testing.T, variable string, args ...string) (c *exec.Cmd, out, said *bytes.Buffer) {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, said = new(bytes.Buffer), new(bytes.Buffer)
	c = exec.Command(path, args...)
	c.Env = append(os.Environ(), variable+"=1")
	c.Stdout, c.Stderr = out, said
	return c, out, said
}

func TestArguments(t *testing.T) {
	for args, want := range map[string]struct {
		code      int
		out, said string
	}{
		"--version": {0, "taoctl-opencl unknown\n", ""},
		"--help":    {0, "", "is started by taoctl"},
		"mine":      {2, "", "is started by taoctl"},
	} {
		c, out, said := program(t, asProgram, args)
		_ = c.Run() // the exit code says it
		if c.ProcessState.ExitCode() != want.code || out.String() != want.out || !strings.Contains(said.String(), want.said) {
			t.Errorf("%s: exit %d, %q, %q", args, c.ProcessState.ExitCode(), out, said)
		}
	}
}

// TestEnds ends with the input, well if nothing was asked and badly if it made no
// sense.
func TestEnds(t *testing.T) {
	for in, code := range map[string]int{"": 0, "halt\n": 1} {
		c, out, said := program(t, asProgram)
		c.Stdin = strings.NewReader(in)
		_ = c.Run()
		if c.ProcessState.ExitCode() != code || out.Len() > 0 || (said.Len() > 0) != (code != 0) {
			t.Errorf("%q: exit %d, %q, %q", in, c.ProcessState.ExitCode(), out, said)
		}
	}
}
