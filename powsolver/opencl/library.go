package opencl

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"unsafe"

	"github.com/ebitengine/purego"
)

// Handles of OpenCL's objects. What belongs to a process ends with it: nothing is
// released here, since a process opens one device and keeps it.
type (
	platformID uintptr
	deviceID   uintptr
	contextID  uintptr
	queueID    uintptr
	programID  uintptr
	kernelID   uintptr
	memoryID   uintptr
)

// library is the part of OpenCL 1.2 that is needed. The fields are its functions,
// by their names in the Khronos headers.
type library struct {
	getPlatformIDs          func(n uint32, platforms *platformID, count *uint32) int32
	getPlatformInfo         func(p platformID, what uint32, size uintptr, value unsafe.Pointer, took *uintptr) int32
	getDeviceIDs            func(p platformID, kind uint64, n uint32, devices *deviceID, count *uint32) int32
	getDeviceInfo           func(d deviceID, what uint32, size uintptr, value unsafe.Pointer, took *uintptr) int32
	createContext           func(properties *uintptr, n uint32, devices *deviceID, callback, data uintptr, code *int32) contextID
	createCommandQueue      func(c contextID, d deviceID, properties uint64, code *int32) queueID
	createProgramWithSource func(c contextID, n uint32, texts **byte, sizes *uintptr, code *int32) programID
	buildProgram            func(p programID, n uint32, devices *deviceID, options string, callback, data uintptr) int32
	getProgramBuildInfo     func(p programID, d deviceID, what uint32, size uintptr, value unsafe.Pointer, took *uintptr) int32
	createKernel            func(p programID, name string, code *int32) kernelID
	getKernelWorkGroupInfo  func(k kernelID, d deviceID, what uint32, size uintptr, value unsafe.Pointer, took *uintptr) int32
	createBuffer            func(c contextID, flags uint64, size uintptr, host unsafe.Pointer, code *int32) memoryID
	setKernelArg            func(k kernelID, i uint32, size uintptr, value unsafe.Pointer) int32
	enqueueWriteBuffer      func(q queueID, m memoryID, wait uint32, at, size uintptr, from unsafe.Pointer, n uint32, list, event *uintptr) int32
	enqueueReadBuffer       func(q queueID, m memoryID, wait uint32, at, size uintptr, to unsafe.Pointer, n uint32, list, event *uintptr) int32
	enqueueNDRangeKernel    func(q queueID, k kernelID, dimensions uint32, at, global, local *uintptr, n uint32, list, event *uintptr) int32
}

// The numbers of OpenCL that are needed (CL/cl.h).
const (
	deviceNotFound        = -1
	platformNotFound      = -1001 // the loader's: no driver is installed
	platformName          = 0x0902
	deviceType            = 0x1000
	deviceUnits           = 0x1002
	deviceLittleEndian    = 0x1026
	deviceAvailable       = 0x1027
	deviceCompiler        = 0x1028
	deviceName            = 0x102b
	deviceDriver          = 0x102d
	deviceVectorLong      = 0x1039
	programBuildLog       = 0x1183
	kernelWorkGroup       = 0x11b0
	typeCPU               = 1 << 1
	typeGPU               = 1 << 2
	typeAccelerator       = 1 << 3
	typeAll               = 0xffffffff
	memoryReadWrite       = 1 << 0
	memoryReadOnly        = 1 << 2
	blocking, nonBlocking = 1, 0
)

// ErrNoLibrary says that the system has no OpenCL.
var ErrNoLibrary = errors.New("the system has no OpenCL library")

// CallError is a function of OpenCL that failed.
type CallError struct {
	Call string
	Code int32 // negative; CL/cl.h names them
}

func (e *CallError) Error() string {
	return fmt.Sprintf("%s failed with OpenCL's error %d", e.Call, e.Code)
}

// failed makes an error of a code, or nil.
func failed(call string, code int32) error {
	if code == 0 {
		return nil
	}
	return &CallError{call, code}
}

// load opens the system's OpenCL library. The error is [ErrNoLibrary], or says
// what is wrong with the one that is there.
func load() (*library, error) {
	handle, err := openLibrary()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNoLibrary, err)
	}
	l := new(library)
	for name, function := range map[string]any{
		"clGetPlatformIDs": &l.getPlatformIDs, "clGetPlatformInfo": &l.getPlatformInfo,
		"clGetDeviceIDs": &l.getDeviceIDs, "clGetDeviceInfo": &l.getDeviceInfo,
		"clCreateContext": &l.createContext, "clCreateCommandQueue": &l.createCommandQueue,
		"clCreateProgramWithSource": &l.createProgramWithSource, "clBuildProgram": &l.buildProgram,
		"clGetProgramBuildInfo": &l.getProgramBuildInfo, "clCreateKernel": &l.createKernel,
		"clGetKernelWorkGroupInfo": &l.getKernelWorkGroupInfo,
		"clCreateBuffer":           &l.createBuffer, "clSetKernelArg": &l.setKernelArg,
		"clEnqueueWriteBuffer": &l.enqueueWriteBuffer, "clEnqueueReadBuffer": &l.enqueueReadBuffer,
		"clEnqueueNDRangeKernel": &l.enqueueNDRangeKernel,
	} {
		address, err := symbol(handle, name)
		if err != nil {
			return nil, fmt.Errorf("the system's OpenCL library lacks %s: %w", name, err)
		}
		purego.RegisterFunc(function, address)
	}
	return l, nil
}

// platforms lists the drivers.
func (l *library) platforms() ([]platformID, error) {
	var n uint32
	code := l.getPlatformIDs(0, nil, &n)
	if code == platformNotFound || code == 0 && n == 0 {
		return nil, nil
	}
	if err := failed("clGetPlatformIDs", code); err != nil {
		return nil, err
	}
	list := make([]platformID, n)
	return list, failed("clGetPlatformIDs", l.getPlatformIDs(n, &list[0], nil))
}

// devices lists the devices of a driver.
func (l *library) devices(p platformID) ([]deviceID, error) {
	var n uint32
	code := l.getDeviceIDs(p, typeAll, 0, nil, &n)
	if code == deviceNotFound || code == 0 && n == 0 {
		return nil, nil
	}
	if err := failed("clGetDeviceIDs", code); err != nil {
		return nil, err
	}
	list := make([]deviceID, n)
	return list, failed("clGetDeviceIDs", l.getDeviceIDs(p, typeAll, n, &list[0], nil))
}

// info reads one of OpenCL's many answers of unknown length, into at most limit
// bytes.
func info(call string, limit uintptr, get func(size uintptr, value unsafe.Pointer, took *uintptr) int32) ([]byte, error) {
	var size uintptr
	if err := failed(call, get(0, nil, &size)); err != nil || size == 0 {
		return nil, err
	}
	if size > limit {
		return nil, fmt.Errorf("%s has %d bytes to say, %d are taken", call, size, limit)
	}
	b := make([]byte, size)
	return b, failed(call, get(size, unsafe.Pointer(&b[0]), nil))
}

// text is such an answer without the zero at its end.
func text(b []byte, err error) (string, error) {
	b, _, _ = bytes.Cut(b, []byte{0})
	return string(bytes.TrimSpace(b)), err
}

// number reads an answer of a known size.
func (l *library) number(d deviceID, what uint32, value unsafe.Pointer, size uintptr) error {
	return failed("clGetDeviceInfo", l.getDeviceInfo(d, what, size, value, nil))
}

const maxText = 4096

func (l *library) platformText(p platformID, what uint32) (string, error) {
	return text(info("clGetPlatformInfo", maxText, func(size uintptr, value unsafe.Pointer, took *uintptr) int32 {
		return l.getPlatformInfo(p, what, size, value, took)
	}))
}

func (l *library) deviceText(d deviceID, what uint32) (string, error) {
	return text(info("clGetDeviceInfo", maxText, func(size uintptr, value unsafe.Pointer, took *uintptr) int32 {
		return l.getDeviceInfo(d, what, size, value, took)
	}))
}

// buildLog is what the driver's compiler says, the beginning of it.
func (l *library) buildLog(p programID, d deviceID) string {
	const most, shown = 1 << 20, 1000
	log, err := text(info("clGetProgramBuildInfo", most, func(size uintptr, value unsafe.Pointer, took *uintptr) int32 {
		return l.getProgramBuildInfo(p, d, programBuildLog, size, value, took)
	}))
	if err != nil {
		return err.Error()
	}
	return log[:min(len(log), shown)]
}

// program gives the driver a text to compile.
func (l *library) program(c contextID, source string) (programID, error) {
	text := append([]byte(source), 0)
	first := &text[0]
	var pin runtime.Pinner
	defer pin.Unpin()
	pin.Pin(first) // a pointer to a pointer: only the outer one is kept in place for the call
	var code int32
	p := l.createProgramWithSource(c, 1, &first, nil, &code)
	return p, failed("clCreateProgramWithSource", code)
}
