package term

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/windows"
)

// openTTY opens the console of the process.
func openTTY() (in, out *os.File, err error) {
	in, err = os.OpenFile("CONIN$", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	out, err = os.OpenFile("CONOUT$", os.O_RDWR, 0)
	if err != nil {
		return nil, nil, errors.Join(err, in.Close())
	}
	if err := understandSequences(out); err != nil {
		return nil, nil, errors.Join(err, in.Close(), out.Close())
	}
	return in, out, nil
}

// understandSequences turns on control sequences, which a console takes as text
// unless told.
func understandSequences(out *os.File) error {
	var mode uint32
	h := windows.Handle(out.Fd())
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return fmt.Errorf("reading the console's mode: %w", err)
	}
	mode |= windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	if err := windows.SetConsoleMode(h, mode); err != nil {
		return fmt.Errorf("setting the console's mode: %w", err)
	}
	return nil
}

// endings lists the signals that end a question.
func endings() []os.Signal {
	return []os.Signal{os.Interrupt}
}

// flushInput discards what the console holds unread.
func flushInput(tty *os.File) error {
	return windows.FlushConsoleInputBuffer(windows.Handle(tty.Fd()))
}
