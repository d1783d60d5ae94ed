// Taoctl is a wallet and staking tool for Bittensor (TAO).
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/taoctl/taoctl/cmd"
	"github.com/taoctl/taoctl/internal/harden"
	"github.com/taoctl/taoctl/internal/term"
)

// version is set by the linker for a release.
var version string

func main() {
	os.Exit(run())
}

func run() int {
	_ = harden.Process() // what cannot be had does not stop the program
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	home, _ := os.UserHomeDir() // its absence is an error only where it is needed
	return cmd.Main(ctx, &cmd.Env{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr,
		Terminal: sync.OnceValues(term.Open),
		Width:    term.Width,
		Getenv:   os.Getenv,
		Home:     home,
		Now:      time.Now,
		Version:  buildVersion(),
	}, os.Args[1:])
}

// buildVersion is the release, or the module version that Go recorded.
func buildVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "unknown"
}
