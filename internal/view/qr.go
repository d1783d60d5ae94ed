package view

import (
	"io"

	"github.com/mdp/qrterminal/v3"
)

// QR draws a text, such as an address, as a QR code of half-height blocks for a
// terminal: an address takes 19 lines of 37 columns. The lowest of the four
// levels of error correction is enough for a screen.
func QR(w io.Writer, text string) error {
	e := &errWriter{w: w}
	qrterminal.GenerateHalfBlock(text, qrterminal.L, e)
	return e.err
}

// errWriter keeps the first error, which the library does not tell of.
type errWriter struct {
	w   io.Writer
	err error
}

func (e *errWriter) Write(b []byte) (int, error) {
	if e.err != nil {
		return 0, e.err
	}
	var n int
	n, e.err = e.w.Write(b)
	return n, e.err
}
