// Package remotetest plays taoctl-opencl for tests, with every fault that a driver
// may have.
package remotetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/taoctl/taoctl/powsolver"
	"github.com/taoctl/taoctl/powsolver/remote"
)

// judged is how many searches powsolver.Judge takes: faults begin behind it.
const judged = 8

// Fake plays the program with a fault until its input ends, and returns its exit
// code. The faults are those of the switches below; any other word is none.
func Fake(fault string) int {
	switch fault {
	case "mute":
		time.Sleep(time.Hour)
	case "deaf": // it answers and then reads no more
		fmt.Println(`{"id":1,"event":"ready","protocol":1}`)
		time.Sleep(time.Hour)
	case "quits":
		fmt.Fprintln(os.Stderr, "no\n\x1b[31mlibrary")
		return 3
	case "garbage":
		fmt.Println("Loading driver...")
	case "stranger":
		fmt.Println(`{"id":1,"event":"devices","protocol":2}`)
	case "unasked":
		fmt.Println(`{"id":1,"event":"found","nonce":7}`)
	case "endless line":
		for {
			if _, err := fmt.Print(strings.Repeat("x", 1000)); err != nil {
				return 1
			}
		}
	case "floods":
		for {
			if _, err := fmt.Println(`{"id":1,"event":"progress"}`); err != nil {
				return 1
			}
		}
	case "babbles on stderr":
		go func() {
			for {
				fmt.Fprintln(os.Stderr, "debug: all is well")
			}
		}()
	}
	devices := []remote.Device{
		{Index: 0, Name: "Fake 1", Kind: "gpu", Units: 1, Platform: "Tests", Driver: "1.0"},
		{Index: 1, Name: "Fake 2", Kind: "cpu", Units: 1, Platform: "Tests", Driver: strings.Join(os.Environ(), ",")},
	}
	if fault == "empty" {
		devices = nil
	}
	var note error
	if fault == "half" {
		note = errors.New("a driver failed")
	}
	err := remote.Serve(context.Background(), os.Stdin, os.Stdout, remote.Host{
		Devices: func() ([]remote.Device, error) { return devices, note },
		Open: func(int) (powsolver.Worker, error) {
			if fault == "opens nothing" {
				return nil, errors.New("the compiler says no")
			}
			engines := powsolver.Engines()
			return &faulty{Worker: engines[len(engines)-1].Worker(), fault: fault}, nil
		},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// faulty is a worker that works until it has been judged.
type faulty struct {
	powsolver.Worker
	fault    string
	searches int
}

func (w *faulty) Search(ctx context.Context, p powsolver.Puzzle, from, count uint64, tried *atomic.Uint64) (uint64, bool, error) {
	w.searches++
	blind := w.fault == "is blind"
	if w.searches <= judged && !blind {
		return w.Worker.Search(ctx, p, from, count, tried)
	}
	switch w.fault {
	case "crashes":
		panic("segmentation fault")
	case "hangs":
		time.Sleep(time.Hour)
	case "lies":
		tried.Add(1)
		return p.Nonce(from), true, nil
	case "lies outside":
		p.Difficulty = 1
		return p.Nonce(from - 1), true, nil
	case "exaggerates":
		tried.Add(count + 1)
		<-ctx.Done()
		return 0, false, ctx.Err()
	case "skips":
		tried.Add(count / 2)
		return 0, false, nil
	case "fails":
		return 0, false, errors.New("out of resources")
	case "gives up":
		return 0, false, context.Canceled
	case "shouts":
		_, _ = io.WriteString(os.Stdout, "GPU is hot\n")
	}
	if blind {
		tried.Add(count)
		return 0, false, nil
	}
	return w.Worker.Search(ctx, p, from, count, tried)
}
