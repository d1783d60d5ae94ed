//go:build !purego

package powsolver

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

//go:noescape
func cpuid(leaf, sub uint32) (eax, ebx, ecx, edx uint32)

// features are what an engine may ask of the CPU and the system. Tests turn them
// off one by one.
type features struct{ avx512, avx2, sha bool }

func detect() features {
	return features{
		avx512: cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ,
		avx2:   cpu.X86.HasAVX2,
		sha:    hasSHA(),
	}
}

// hasSHA reports whether the CPU has the SHA-NI instructions: leaf 7, EBX bit 29.
func hasSHA() bool {
	last, _, _, _ := cpuid(0, 0)
	if last < 7 {
		return false
	}
	_, ebx, _, _ := cpuid(7, 0)
	return ebx>>29&1 == 1
}

func cpuEngines() []*Engine { return detect().engines() }

// engines lists the engines that the features allow, the fastest first.
func (f features) engines() (list []*Engine) {
	if f.avx512 {
		list = append(list, &Engine{name: "avx512", lane: newAVX512})
	}
	if f.avx2 && f.sha {
		list = append(list, &Engine{name: "avx2", lane: newAVX2})
	}
	return list
}

// alignedMemory returns n bytes that begin at a multiple of 64. They hold no
// pointers, and Go does not move them.
func alignedMemory(n uintptr) unsafe.Pointer {
	const line = 64
	b := make([]byte, n+line-1)
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	return unsafe.Pointer(&b[-at&(line-1)])
}
