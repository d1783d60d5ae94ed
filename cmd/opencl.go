package cmd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/powsolver/remote"
)

// What --opencl takes besides numbers of devices.
const (
	openclGPU  = "gpu"  // what is no CPU, if taoctl-opencl is there
	openclAll  = "all"  // every device
	openclNone = "none" // not even looking
)

// openclChoice says which OpenCL devices work. Drivers make CPUs devices too; the
// engines here are faster, so nobody gets those without asking.
type openclChoice struct {
	gpu, all bool
	numbers  []int
}

func parseOpenCL(s string) (openclChoice, error) {
	switch s {
	case openclGPU:
		return openclChoice{gpu: true}, nil
	case openclAll:
		return openclChoice{all: true}, nil
	case openclNone:
		return openclChoice{}, nil
	}
	var c openclChoice
	for word := range strings.SplitSeq(s, ",") {
		n, err := strconv.ParseUint(word, 10, 16)
		if err != nil {
			return c, usagef("--opencl %q is neither %s, %s, %s nor numbers of devices such as 0,2", s, openclGPU, openclAll, openclNone)
		}
		if !slices.Contains(c.numbers, int(n)) {
			c.numbers = append(c.numbers, int(n))
		}
	}
	return c, nil
}

// none reports that no device is wanted, and asked that some are by name: then it
// is an error if there are none.
func (c openclChoice) none() bool  { return !c.gpu && !c.all && c.numbers == nil }
func (c openclChoice) asked() bool { return c.all || c.numbers != nil }

// from picks the devices.
func (c openclChoice) from(list []remote.Device) (picked []remote.Device, err error) {
	for _, n := range c.numbers {
		if n >= len(list) {
			return nil, usagef("--opencl %d: there are %d OpenCL devices, from 0 on", n, len(list))
		}
		picked = append(picked, list[n])
	}
	for _, d := range list {
		if c.all || c.gpu && isCard(d) {
			picked = append(picked, d)
		}
	}
	return picked, nil
}

// isCard tells a device that computes by itself from one that is a CPU after all.
func isCard(d remote.Device) bool { return d.Kind == "gpu" || d.Kind == "accelerator" }

func (a *app) openclFlag(c *cobra.Command) {
	c.Flags().StringVar(&a.opencl, "opencl", openclGPU,
		"which OpenCL devices work beside the CPU, if taoctl-opencl is installed: gpu, all, none, or numbers as in \"taoctl pow devices\"")
}

const noDevices = "no driver offers a device"

// openclProgram is taoctl-opencl, if it is beside this program or on the PATH.
func (a *app) openclProgram() (remote.Program, error) {
	program, err := os.Executable()
	if err == nil {
		program, err = filepath.EvalSymlinks(program)
	}
	if err != nil {
		return remote.Program{}, fmt.Errorf("find out where taoctl is: %w", err)
	}
	path, err := remote.Find(filepath.Dir(program), a.env.Getenv("PATH"))
	return remote.Program{Path: path, Env: remote.Environment(a.env.Getenv)}, err
}

// openclCrew are the OpenCL devices that work, and why others do not.
type openclCrew struct {
	workers []*remote.Worker
	leftOut []leftOut
}

// leftOut is a device that does not work, or does not any more.
type leftOut struct {
	Device string `json:"device"`
	Reason string `json:"reason"`
}

// openOpenCL starts the devices that --opencl chooses. What fails is left out; it
// is an error only if devices were asked for that are not there.
func (a *app) openOpenCL(ctx context.Context) (crew openclCrew, err error) {
	choice, err := parseOpenCL(a.opencl)
	if err != nil || choice.none() {
		return crew, err
	}
	program, err := a.openclProgram()
	if err != nil {
		if choice.asked() || !errors.Is(err, remote.ErrNotFound) {
			return crew, err
		}
		return crew, nil
	}
	spin := a.busy("starting OpenCL devices")
	defer spin.Stop()
	list, note, err := program.Devices(ctx)
	switch {
	case ctx.Err() != nil:
		return crew, errInterrupted
	case err != nil:
		crew.leftOut = append(crew.leftOut, leftOut{"opencl", err.Error()})
		return crew, nil
	case len(list) == 0 && !choice.asked():
		return crew, nil // a machine without devices is nothing to tell of
	case len(list) == 0:
		crew.leftOut = append(crew.leftOut, leftOut{"opencl", cmp.Or(note, noDevices)})
		return crew, nil
	case note != "":
		crew.leftOut = append(crew.leftOut, leftOut{"opencl", note})
	}
	picked, err := choice.from(list)
	if err != nil {
		return crew, err
	}
	crew.open(ctx, program, picked)
	for _, w := range crew.workers {
		a.stopped = append(a.stopped, w.Close)
	}
	if ctx.Err() != nil {
		return crew, errInterrupted
	}
	return crew, nil
}

// open starts devices beside each other: each may compile for seconds.
func (crew *openclCrew) open(ctx context.Context, program remote.Program, devices []remote.Device) {
	workers, errs := make([]*remote.Worker, len(devices)), make([]error, len(devices))
	var all sync.WaitGroup
	for i, d := range devices {
		all.Go(func() { workers[i], errs[i] = program.Open(ctx, d) })
	}
	all.Wait()
	for i, w := range workers {
		if errs[i] != nil {
			crew.leftOut = append(crew.leftOut, leftOut{devices[i].Label(), errs[i].Error()})
			continue
		}
		crew.workers = append(crew.workers, w)
	}
}

// cards is how many devices are no CPUs.
func (crew openclCrew) cards() (n int) {
	for _, w := range crew.workers {
		if isCard(w.Device()) {
			n++
		}
	}
	return n
}

// crew is the workers, for a solver.
func (crew openclCrew) crew() (list []powsolver.Worker) {
	for _, w := range crew.workers {
		list = append(list, w)
	}
	return list
}

// strike moves those that failed in a solver's work to those that are left out.
func (crew *openclCrew) strike(p powsolver.Progress) {
	for _, done := range p.Workers {
		if done.Err == nil {
			continue
		}
		crew.leftOut = append(crew.leftOut, leftOut{done.Name, done.Err.Error()})
		crew.workers = slices.DeleteFunc(crew.workers, func(w *remote.Worker) bool { return w.Name() == done.Name })
	}
}

func (crew openclCrew) names() (list []string) {
	for _, w := range crew.workers {
		list = append(list, w.Name())
	}
	return list
}

// openclDevice is a row of "pow devices".
type openclDevice struct {
	remote.Device
	Agrees bool   `json:"agrees"` // with the definition of the seals, checked now
	Chosen bool   `json:"chosen"` // by default
	Note   string `json:"note,omitempty"`
}

// openclDevices is what OpenCL offers on this machine.
type openclDevices struct {
	Program string         `json:"program,omitempty"` // where taoctl-opencl is
	Note    string         `json:"note,omitempty"`    // why there are no devices, or not all
	Devices []openclDevice `json:"devices,omitempty"`
}

// listOpenCL checks every device, one beside the other.
func (a *app) listOpenCL(ctx context.Context) (openclDevices, error) {
	choice, err := parseOpenCL(a.opencl)
	if err != nil {
		return openclDevices{}, err
	}
	if choice.none() {
		return openclDevices{Note: "not looked for"}, nil
	}
	program, err := a.openclProgram()
	if err != nil {
		return openclDevices{Note: err.Error()}, nil
	}
	spin := a.busy("checking OpenCL devices")
	defer spin.Stop()
	result := openclDevices{Program: program.Path}
	list, note, err := program.Devices(ctx)
	if err != nil {
		note = err.Error()
	}
	if result.Note = note; len(list) == 0 {
		result.Note = cmp.Or(note, noDevices)
	}
	result.Devices = make([]openclDevice, len(list))
	var all sync.WaitGroup
	for i, d := range list {
		row := &result.Devices[i]
		all.Go(func() { *row = checkOpenCL(ctx, program, d) })
	}
	all.Wait()
	if ctx.Err() != nil {
		return openclDevices{}, errInterrupted
	}
	return result, nil
}

func checkOpenCL(ctx context.Context, program remote.Program, d remote.Device) openclDevice {
	row := openclDevice{Device: d}
	w, err := program.Open(ctx, d)
	if err != nil {
		row.Note = err.Error()
		return row
	}
	defer w.Close()
	row.Agrees = true
	row.Chosen = isCard(d)
	return row
}

// benchOpenCL measures the devices that --opencl chooses.
func (a *app) benchOpenCL(ctx context.Context, bench powsolver.Bench) ([]powsolver.WorkerResult, []leftOut, error) {
	crew, err := a.openOpenCL(ctx)
	if err != nil || len(crew.workers) == 0 {
		return nil, crew.leftOut, err
	}
	var list []powsolver.WorkerResult
	for _, w := range crew.workers {
		rates, err := bench.Workers(ctx, w)
		if ctx.Err() != nil {
			return nil, nil, errInterrupted
		}
		if err != nil {
			crew.leftOut = append(crew.leftOut, leftOut{w.Name(), err.Error()})
		}
		list = append(list, rates...)
	}
	return list, crew.leftOut, nil
}
