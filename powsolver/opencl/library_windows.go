package opencl

import "golang.org/x/sys/windows"

// openLibrary takes the OpenCL library of the system's folder and of no other, so
// that nobody can put one in its way.
func openLibrary() (uintptr, error) {
	handle, err := windows.LoadLibraryEx("OpenCL.dll", 0, windows.LOAD_LIBRARY_SEARCH_SYSTEM32)
	return uintptr(handle), err
}

func symbol(handle uintptr, name string) (uintptr, error) {
	return windows.GetProcAddress(windows.Handle(handle), name)
}
