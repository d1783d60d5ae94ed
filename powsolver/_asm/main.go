// Command asm writes the assembly of package powsolver. Run it in this folder:
//
//	go run .         writes the files
//	go run . -check  writes nothing and fails if one would change
//
// It is a module of its own, so that the program it serves does not depend on
// the assembler's library.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
)

func main() {
	check := flag.Bool("check", false, "compare with the files instead of writing them")
	flag.Parse()
	if err := generate("..", *check); err != nil {
		log.Fatal(err)
	}
}

// generate writes every file into dir, or compares it with the one there.
func generate(dir string, check bool) error {
	var errs []error
	for name, make := range map[string]func() ([]byte, error){
		"cpuid_amd64.s":  cpuid,
		"avx512_amd64.s": avx512,
		"avx2_amd64.s":   avx2,
		"sha3_arm64.s":   arm64,
	} {
		text, err := make()
		if err == nil {
			err = place(filepath.Join(dir, name), text, check)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return errors.Join(errs...)
}

func place(path string, text []byte, check bool) error {
	if !check {
		return os.WriteFile(path, text, 0o666)
	}
	old, err := os.ReadFile(path)
	if err == nil && !bytes.Equal(old, text) {
		err = errors.New("differs from what this program writes")
	}
	return err
}
