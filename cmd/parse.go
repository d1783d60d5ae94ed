package cmd

import (
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/taoctl/taoctl/tao"
)

// parseUint32 reads a block number, a nonce or a count.
func parseUint32(s string) (uint32, error) {
	n, err := strconv.ParseUint(s, 10, 32)
	if err != nil {
		return 0, fmt.Errorf("%q is not a whole number below 2^32", s)
	}
	return uint32(n), nil
}

func parseHash(what, s string) (tao.Hash, error) {
	h, err := tao.ParseHash(s)
	if err != nil {
		return h, usagef("%s: %w", what, err)
	}
	return h, nil
}

// maxInput bounds what is read from a file or a pipe that a person named, in
// bytes: a draft with its metadata has a tenth of it.
const maxInput = 4 << 20

func readAll(r io.Reader, name string) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxInput+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(b) > maxInput {
		return nil, fmt.Errorf("read %s: it has more than %d bytes", name, maxInput)
	}
	return b, nil
}

// readFirst fills b as far as the reader gives; its end is no error.
func readFirst(r io.Reader, b []byte) (int, error) {
	n, err := io.ReadFull(r, b)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}
