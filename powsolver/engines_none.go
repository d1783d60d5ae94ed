//go:build purego || !(amd64 || arm64)

package powsolver

func cpuEngines() []*Engine { return nil }
