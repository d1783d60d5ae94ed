package main

import "testing"

// TestGenerated fails when the committed assembly is not what this program writes.
func TestGenerated(t *testing.T) {
	if err := generate("..", true); err != nil {
		t.Fatalf("%v: run go generate in powsolver", err)
	}
}
