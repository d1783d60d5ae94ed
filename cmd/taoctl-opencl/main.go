// Taoctl-opencl computes seals of the proof of work on OpenCL devices for taoctl,
// which starts it and speaks with it in lines of JSON (package powsolver/remote).
//
// It is a program of its own because drivers of strangers are loaded into its
// process. It is given public data only and holds no key; taoctl believes none of
// its answers. A person has no use for it: "taoctl pow devices" does what one may
// want.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/powsolver/opencl"
	"github.com/taoctl/taoctl/powsolver/remote"
)

// version is set by the linker for a release.
var version = "unknown"

func main() { os.Exit(run()) }

func run() int {
	if len(os.Args) > 1 {
		return tell(os.Args[1:])
	}
	// Whoever started it decides when it ends: taoctl closes its input. A Ctrl-C at
	// the terminal reaches both, and must not look like a driver's crash.
	signal.Ignore(os.Interrupt)
	out, err := protect()
	if err != nil {
		fmt.Fprintln(os.Stderr, "taoctl-opencl:", err)
		return 1
	}
	if err := remote.Serve(context.Background(), os.Stdin, out, host()); err != nil {
		fmt.Fprintln(os.Stderr, "taoctl-opencl:", err)
		return 1
	}
	return 0
}

// tell answers a person.
func tell(args []string) int {
	if len(args) == 1 && args[0] == "--version" {
		fmt.Fprintln(os.Stdout, "taoctl-opencl", version)
		return 0
	}
	fmt.Fprintln(os.Stderr, `taoctl-opencl is started by taoctl and takes no arguments.
"taoctl pow devices" lists what it finds, "taoctl pow bench" measures it.`)
	if len(args) == 1 && (args[0] == "--help" || args[0] == "-h") {
		return 0
	}
	return 2
}

// host offers the devices of OpenCL. They are listed once: the protocol's numbers
// are places in that list.
func host() remote.Host {
	var found []opencl.Device
	devices := func() ([]remote.Device, error) {
		var errs []error
		if found == nil {
			found, errs = opencl.Devices()
		}
		list := make([]remote.Device, len(found))
		for i, d := range found {
			list[i] = remote.Device{Index: i, Name: d.Name, Kind: d.Kind, Units: d.Units, Platform: d.Platform, Driver: d.Driver}
		}
		return list, onOneLine(errs)
	}
	open := func(i int) (powsolver.Worker, error) { return opencl.Open(found[i]) }
	return remote.Host{Devices: devices, Open: open}
}

// onOneLine joins errors for a line of a table; no errors are nil.
func onOneLine(errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return errors.New(strings.Join(texts, "; "))
}

// protect keeps standard output for the protocol alone: drivers print what they
// like, and from now on that goes to standard error.
func protect() (io.Writer, error) {
	out, err := redirect()
	if err != nil {
		return nil, fmt.Errorf("keep standard output for the protocol: %w", err)
	}
	return out, nil
}
