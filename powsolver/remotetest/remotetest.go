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
	if code, over := refuse(fault); over {
		return code
	}
	if fault == "babbles on stderr" {
		go func() {
			for {
				fmt.Fprintln(os.Stderr, "debug: all is well")
			}
		}()
	}
	if err := remote.Serve(context.Background(), os.Stdin, os.Stdout, host(fault)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// refuse plays the faults of a program that does not serve at all, or says
// something first that it should not.
func refuse(fault string) (code int, over bool) {
	switch fault {
	case "mute":
		time.Sleep(time.Hour)
	case "deaf": // it answers and then reads no more
		fmt.Println(`{"id":1,"event":"ready","protocol":1}`)
		time.Sleep(time.Hour)
	case "quits":
		fmt.Fprintln(os.Stderr, "no\n\x1b[31mlibrary")
		return 3, true
	case "garbage":
		fmt.Println("Loading driver...")
	case "stranger":
		fmt.Println(`{"id":1,"event":"devices","protocol":2}`)
	case "unasked":
		fmt.Println(`{"id":1,"event":"found","nonce":7}`)
	case "endless line":
		return forever(strings.Repeat("x", 1000)), true
	case "floods":
		return forever(`{"id":1,"event":"progress"}` + "\n"), true
	}
	return 0, false
}

func forever(text string) (code int) {
	for {
		if _, err := fmt.Print(text); err != nil {
			return 1
		}
	}
}

func host(fault string) remote.Host {
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
	return remote.Host{
		Devices: func() ([]remote.Device, error) { return devices, note },
		Open: func(int) (powsolver.Worker, error) {
			if fault == "opens nothing" {
				return nil, errors.New("the compiler says no")
			}
			engines := powsolver.Engines()
			return &faulty{Worker: engines[len(engines)-1].Worker(), fault: fault}, nil
		},
	}
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
	case "chatters": // about a search that is long over
		forever(`{"id":1,"event":"progress"}` + "\n")
	case "hangs and talks":
		for range time.Tick(10 * time.Millisecond) {
			fmt.Println(`{"id":10,"event":"progress"}`) // the first search after powsolver.Judge's
		}
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
