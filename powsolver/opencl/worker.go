package opencl

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/taoctl/taoctl/powsolver"
)

//go:embed kernel.cl
var source string

const (
	room       = 1023                  // how many candidates one launch can give back
	groupItems = 64                    // work items of a group, where the device allows them
	launchTime = 20 * time.Millisecond // how long a launch should take
	jobWords   = 56                    // words of a job: see kernel.cl
)

// Worker searches on one device. It is a powsolver.Worker.
type Worker struct {
	device  Device
	queue   queueID
	kernels map[powsolver.Order]kernelID
	job     memoryID // what does not vary
	found   memoryID // a count, and the candidates

	zero  uint32 // stays where it is while the device copies it
	items uint64 // work items of a group
	step  uint64 // positions that one group does
	batch uint64 // positions that the next launch does, a multiple of step
	least uint64 // the smallest batch: all compute units have work
}

// Open compiles the kernels for a device and holds them against known answers and
// the definition of the seals. It takes seconds the first time; drivers keep what
// they compiled.
func Open(d Device) (*Worker, error) { return open(d, d.width(), source) }

// open takes kernels of a given width, from a given text.
func open(d Device, width uint32, text string) (*Worker, error) {
	w := &Worker{device: d, kernels: map[powsolver.Order]kernelID{}}
	if err := w.prepare(width, text); err != nil {
		return nil, fmt.Errorf("prepare %s: %w", d.Name, err)
	}
	if err := w.check(); err != nil {
		return nil, fmt.Errorf("check %s: %w", d.Name, err)
	}
	return w, nil
}

// Name is the device's.
func (w *Worker) Name() string { return w.device.Name }

func (w *Worker) prepare(width uint32, text string) error {
	l, d := w.device.library, w.device.id
	var code int32
	c := l.createContext(nil, 1, &d, 0, 0, &code)
	if err := failed("clCreateContext", code); err != nil {
		return err
	}
	w.queue = l.createCommandQueue(c, d, 0, &code)
	if err := failed("clCreateCommandQueue", code); err != nil {
		return err
	}
	w.job = l.createBuffer(c, memoryReadOnly, 4*jobWords, nil, &code)
	if err := failed("clCreateBuffer", code); err != nil {
		return err
	}
	w.found = l.createBuffer(c, memoryReadWrite, 4*(1+room), nil, &code)
	if err := failed("clCreateBuffer", code); err != nil {
		return err
	}
	return w.compile(c, width, text)
}

func (w *Worker) compile(c contextID, width uint32, text string) error {
	l, d := w.device.library, w.device.id
	p, err := l.program(c, text)
	if err != nil {
		return err
	}
	options := fmt.Sprintf("-D WIDTH=%d -D ROOM=%d", width, room)
	if err := failed("clBuildProgram", l.buildProgram(p, 1, &d, options, 0, 0)); err != nil {
		return fmt.Errorf("%w: %s", err, l.buildLog(p, d))
	}
	items := uint64(groupItems)
	for order, name := range map[powsolver.Order]string{
		powsolver.LittleEndian: "search_little", powsolver.BigEndian: "search_big",
	} {
		var code int32
		k := l.createKernel(p, name, &code)
		if err := failed("clCreateKernel", code); err != nil {
			return err
		}
		var most uintptr
		code = l.getKernelWorkGroupInfo(k, d, kernelWorkGroup, unsafe.Sizeof(most), unsafe.Pointer(&most), nil)
		if err := failed("clGetKernelWorkGroupInfo", code); err != nil {
			return err
		}
		items = min(items, max(uint64(most), 1))
		w.kernels[order] = k
	}
	w.items, w.step = items, items*uint64(width)
	w.least = w.step * uint64(max(w.device.Units, 1))
	w.batch = w.least
	return nil
}

// Search is described at powsolver.Worker. It looks at the context between
// launches.
func (w *Worker) Search(ctx context.Context, p powsolver.Puzzle, from, count uint64, tried *atomic.Uint64) (uint64, bool, error) {
	if err := p.Check(); err != nil {
		return 0, false, err
	}
	high, wrong := ^from>>p.Span(), 0 // a high part that is not from's
	var limit uint64
	for count > 0 {
		if err := ctx.Err(); err != nil {
			return 0, false, err
		}
		if from>>p.Span() != high {
			high = from >> p.Span()
			prepared := p.Prepare(from)
			limit = prepared.Limit
			if err := w.load(prepared); err != nil {
				return 0, false, err
			}
		}
		n := min(count, 1<<p.Span()-from&(1<<p.Span()-1), w.batch)
		candidates, err := w.launch(p, limit, from, n)
		if err != nil {
			return 0, false, err
		}
		for _, at := range candidates {
			if nonce := p.Nonce(at); p.Meets(p.Seal(nonce)) {
				tried.Add(at - from + 1)
				return nonce, true, nil
			}
			if wrong++; wrong > 3 {
				return 0, false, fmt.Errorf("%s, %s seal: %w", w.Name(), p.Kind, powsolver.ErrDisagrees)
			}
		}
		tried.Add(n)
		from, count = from+n, count-n
	}
	return 0, false, nil
}

// load gives the device what does not vary, in the order of kernel.cl.
func (w *Worker) load(p powsolver.Prepared) error {
	words := jobOf(p)
	code := w.device.library.enqueueWriteBuffer(w.queue, w.job, blocking, 0, 4*jobWords, unsafe.Pointer(&words[0]), 0, nil, nil)
	return failed("clEnqueueWriteBuffer", code)
}

func jobOf(p powsolver.Prepared) [jobWords]uint32 {
	words := slices.Concat(p.State[:], []uint32{p.Word0, p.A1, p.E1}, p.KW[:23], p.C[16:38])
	return [jobWords]uint32(words)
}

// adapt makes launches longer or shorter, by what a whole batch took.
func (w *Worker) adapt(took time.Duration) {
	const most, leap = 1 << 30, 16
	switch {
	case took < launchTime/2:
		factor := min(launchTime/max(took, 1), leap)
		w.batch = max(min(w.batch*uint64(factor), most/w.step*w.step), w.least)
	case took > launchTime*3/2:
		w.batch = max(w.batch/2/w.step*w.step, w.least)
	}
}

// launch searches n positions that share their high part, and returns those whose
// seals qualify, in order. There may be more than room for them: then some are
// missing.
func (w *Worker) launch(p powsolver.Puzzle, limit, from, n uint64) ([]uint64, error) {
	began := time.Now()
	low := uint32(from & (1<<p.Span() - 1))
	found, err := w.run(w.kernels[p.Order], limit, low, n)
	if err != nil {
		return nil, err
	}
	if n == w.batch {
		w.adapt(time.Since(began))
	}
	var at []uint64
	for _, hit := range found {
		// The last group may have worked beyond the end.
		if past := uint64(hit - low); past < n {
			at = append(at, from+past)
		}
	}
	slices.Sort(at)
	return at, nil
}

// run launches a kernel and waits for what it finds.
func (w *Worker) run(k kernelID, limit uint64, low uint32, n uint64) ([]uint32, error) {
	l := w.device.library
	var count uint32
	code := l.enqueueWriteBuffer(w.queue, w.found, nonBlocking, 0, 4, unsafe.Pointer(&w.zero), 0, nil, nil)
	if err := failed("clEnqueueWriteBuffer", code); err != nil {
		return nil, err
	}
	for i, arg := range []struct {
		value unsafe.Pointer
		size  uintptr
	}{
		{unsafe.Pointer(&w.job), unsafe.Sizeof(w.job)}, {unsafe.Pointer(&limit), 8},
		{unsafe.Pointer(&low), 4}, {unsafe.Pointer(&w.found), unsafe.Sizeof(w.found)},
	} {
		if err := failed("clSetKernelArg", l.setKernelArg(k, uint32(i), arg.size, arg.value)); err != nil {
			return nil, err
		}
	}
	groups := (n + w.step - 1) / w.step
	local := uintptr(w.items)
	global := uintptr(groups) * local
	code = l.enqueueNDRangeKernel(w.queue, k, 1, nil, &global, &local, 0, nil, nil)
	if err := failed("clEnqueueNDRangeKernel", code); err != nil {
		return nil, err
	}
	if err := w.read(0, unsafe.Pointer(&count), 4); err != nil || count == 0 {
		return nil, err
	}
	found := make([]byte, 4*min(count, room))
	if err := w.read(4, unsafe.Pointer(&found[0]), uintptr(len(found))); err != nil {
		return nil, err
	}
	list := make([]uint32, len(found)/4)
	for i := range list {
		list[i] = binary.LittleEndian.Uint32(found[4*i:])
	}
	return list, nil
}

// read waits for all that was asked of the device, and reads what it found.
func (w *Worker) read(at uintptr, to unsafe.Pointer, size uintptr) error {
	return failed("clEnqueueReadBuffer", w.device.library.enqueueReadBuffer(w.queue, w.found, blocking, at, size, to, 0, nil, nil))
}
