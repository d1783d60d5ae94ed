//go:build unix

package main

import "testing"

// TestRedirect keeps what a driver prints away from the protocol.
func TestRedirect(t *testing.T) {
	c, out, said := program(t, asPrinter)
	if err := c.Run(); err != nil {
		t.Fatal(err)
	}
	if out.String() != "protocol" || said.String() != "driver" {
		t.Errorf("standard output has %q, standard error %q", out, said)
	}
}
