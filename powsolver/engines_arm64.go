//go:build !purego

package powsolver

func cpuEngines() []*Engine { return nil }
