// Gendocs writes what is generated from the command tree: man pages and shell
// completions. Its output is the same for the same tree, so that a check can
// compare it with what is committed.
//
//	go run ./internal/gendocs docs
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"

	"github.com/taoctl/taoctl/cmd"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gendocs FOLDER")
		os.Exit(2)
	}
	if err := generate(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gendocs:", err)
		os.Exit(1)
	}
}

func generate(folder string) error {
	man, completion := filepath.Join(folder, "man"), filepath.Join(folder, "completion")
	for _, dir := range []string{man, completion} {
		// What belongs to a command that is gone must go too.
		if err := os.RemoveAll(dir); err != nil {
			return err
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	root := cmd.Tree()
	quiet(root)
	// A date that moves would make every run differ.
	date := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	header := &doc.GenManHeader{Title: "TAOCTL", Section: "1", Source: "taoctl", Manual: "taoctl", Date: &date}
	if err := doc.GenManTree(root, header, man); err != nil {
		return err
	}
	return completions(root, completion)
}

// quiet keeps the generator's own name and the day out of the pages.
func quiet(c *cobra.Command) {
	c.DisableAutoGenTag = true
	for _, sub := range c.Commands() {
		quiet(sub)
	}
}

func completions(root *cobra.Command, dir string) error {
	for name, write := range map[string]func(string) error{
		"taoctl.bash": func(f string) error { return root.GenBashCompletionFileV2(f, true) },
		"_taoctl":     root.GenZshCompletionFile,
		"taoctl.fish": func(f string) error { return root.GenFishCompletionFile(f, true) },
		"taoctl.ps1":  root.GenPowerShellCompletionFileWithDesc,
	} {
		if err := write(filepath.Join(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
