//go:build !windows

package opencl

import (
	"runtime"

	"github.com/ebitengine/purego"
)

// openLibrary takes the first OpenCL library that the system's loader finds.
func openLibrary() (uintptr, error) {
	names := []string{"libOpenCL.so.1", "libOpenCL.so"}
	if runtime.GOOS == "darwin" {
		names = []string{"/System/Library/Frameworks/OpenCL.framework/OpenCL"}
	}
	var first error
	for _, name := range names {
		handle, err := purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_GLOBAL)
		if err == nil {
			return handle, nil
		}
		if first == nil {
			first = err
		}
	}
	return 0, first
}

func symbol(handle uintptr, name string) (uintptr, error) { return purego.Dlsym(handle, name) }
