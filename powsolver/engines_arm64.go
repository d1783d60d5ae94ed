//go:build !purego

package powsolver

import "golang.org/x/sys/cpu"

// features are what an engine may ask of the CPU and the system. Tests turn them
// off one by one.
type features struct{ sha2, sha3 bool }

func detect() features { return features{sha2: cpu.ARM64.HasSHA2, sha3: cpu.ARM64.HasSHA3} }

func cpuEngines() []*Engine { return detect().engines() }

// engines lists the engines that the features allow, the fastest first. Without
// SHA-3 there is none: the standard library's SHA-256, in the portable engine, uses
// the CPU's instructions already.
func (f features) engines() (list []*Engine) {
	if f.sha2 && f.sha3 {
		list = append(list, &Engine{name: "sha3", lane: newSHA3})
	}
	return list
}
