//go:build opencl && linux

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/taoctl/taoctl/powsolver/remote"
)

// badDriver is loaded beside the real drivers, and does what FAULT says before
// anybody has called it.
const badDriver = `
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
__attribute__((constructor)) static void loaded(void)
{
	FAULT;
}
`

// TestBadDriver has the system's OpenCL loader load a driver that crashes, hangs,
// ends the process, or prints where the protocol is spoken.
func TestBadDriver(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil {
		t.Skip("SKIPPED: no C compiler makes the bad drivers")
	}
	real, err := filepath.Glob("/etc/OpenCL/vendors/*.icd")
	if err != nil || len(real) == 0 {
		t.Fatalf("no drivers are registered in /etc/OpenCL/vendors: %v", err)
	}
	for fault, want := range map[string]error{
		"*(volatile int *)0 = 1": remote.ErrEnded, "abort()": remote.ErrEnded, "_exit(0)": remote.ErrEnded,
		"for (;;) pause()": remote.ErrSilent, `puts("{\"id\":1,\"event\":\"devices\"}"); fflush(stdout)`: nil,
	} {
		t.Run(fault, func(t *testing.T) {
			dir := t.TempDir()
			for _, driver := range real {
				if err := os.Symlink(driver, filepath.Join(dir, filepath.Base(driver))); err != nil {
					t.Fatal(err)
				}
			}
			compileDriver(t, dir, fault)
			path, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			p := remote.Program{Path: path, Env: append(remote.Environment(os.Getenv), asProgram+"=1", "OCL_ICD_VENDORS="+dir)}
			if errors.Is(want, remote.ErrSilent) {
				p.ListWithin = time.Second
			}
			list, _, err := p.Devices(t.Context())
			if !errors.Is(err, want) || err == nil && len(list) == 0 {
				t.Errorf("got %v, %v; want %v", list, err, want)
			}
		})
	}
}

func compileDriver(t *testing.T, dir, fault string) {
	t.Helper()
	text, library := filepath.Join(dir, "bad.c"), filepath.Join(dir, "bad.so")
	if err := os.WriteFile(text, []byte(badDriver), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-D", "FAULT="+fault, "-o", library, text).CombinedOutput(); err != nil {
		t.Fatalf("cc: %v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.icd"), []byte(library+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
