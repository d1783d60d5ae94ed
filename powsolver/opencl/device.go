package opencl

import (
	"fmt"
	"unsafe"
)

// Device is something that a driver computes with. Its texts are the driver's.
type Device struct {
	Name     string
	Platform string // the driver that offers it
	Driver   string // the driver's version
	Kind     string // "gpu", "cpu", "accelerator" or "other"
	Units    uint32 // compute units: multiprocessors of a GPU, cores of a CPU

	library *library
	id      deviceID
	kind    uint64
}

// Devices lists what the system's drivers offer and can compile for, in their
// order. A driver that fails is left out, with an error beside the list; without
// an OpenCL library the error is [ErrNoLibrary].
func Devices() ([]Device, []error) {
	l, err := load()
	if err != nil {
		return nil, []error{err}
	}
	platforms, err := l.platforms()
	if err != nil {
		return nil, []error{err}
	}
	var all []Device
	var errs []error
	for _, p := range platforms {
		list, err := l.describePlatform(p)
		if err != nil {
			errs = append(errs, err)
		}
		all = append(all, list...)
	}
	return all, errs
}

func (l *library) describePlatform(p platformID) ([]Device, error) {
	name, err := l.platformText(p, platformName)
	if err != nil {
		return nil, err
	}
	ids, err := l.devices(p)
	if err != nil {
		return nil, fmt.Errorf("list the devices of %s: %w", name, err)
	}
	var list []Device
	for _, id := range ids {
		d := Device{Platform: name, library: l, id: id}
		usable, err := d.describe()
		if err != nil {
			return list, fmt.Errorf("describe a device of %s: %w", name, err)
		}
		if usable {
			list = append(list, d)
		}
	}
	return list, nil
}

// describe fills in what is to be known, and reports whether kernels can be
// compiled for the device and run on it.
func (d *Device) describe() (usable bool, err error) {
	var available, compiler, little uint32
	for _, q := range []struct {
		what  uint32
		value unsafe.Pointer
		size  uintptr
	}{
		{deviceType, unsafe.Pointer(&d.kind), 8},
		{deviceUnits, unsafe.Pointer(&d.Units), 4},
		{deviceAvailable, unsafe.Pointer(&available), 4},
		{deviceCompiler, unsafe.Pointer(&compiler), 4},
		{deviceLittleEndian, unsafe.Pointer(&little), 4},
	} {
		if err := d.library.number(d.id, q.what, q.value, q.size); err != nil {
			return false, err
		}
	}
	if d.Name, err = d.library.deviceText(d.id, deviceName); err != nil {
		return false, err
	}
	d.Kind = kindName(d.kind)
	d.Driver, err = d.library.deviceText(d.id, deviceDriver)
	return available&compiler&little == 1, err
}

func kindName(kind uint64) string {
	switch {
	case kind&typeGPU != 0:
		return "gpu"
	case kind&typeAccelerator != 0:
		return "accelerator"
	case kind&typeCPU != 0:
		return "cpu"
	}
	return "other"
}

// width is how many seals a work item computes. A CPU's compiler is given its
// vectors, 4 or 8 seals wide, and a GPU's makes vectors of work items itself.
func (d *Device) width() uint32 {
	var width uint32
	if d.kind&typeCPU == 0 || d.library.number(d.id, deviceVectorLong, unsafe.Pointer(&width), 4) != nil {
		return 1
	}
	return kernelWidth(width)
}

// kernelWidth rounds down to a width that the kernel knows.
func kernelWidth(native uint32) uint32 {
	for _, known := range []uint32{8, 4, 2} {
		if native >= known {
			return known
		}
	}
	return 1
}
