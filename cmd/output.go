package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"github.com/taoctl/taoctl/internal/printable"
	"github.com/taoctl/taoctl/internal/term"
	"github.com/taoctl/taoctl/internal/view"
	"github.com/taoctl/taoctl/tx"
)

// outputFlags choose the form of the result.
type outputFlags struct {
	json     bool
	csv      bool
	template string
	quiet    bool
}

// verdict is an error that stands beside a result: the exit code says in one
// number what the result says in full, and both are printed.
type verdict struct{ error }

func (v verdict) Unwrap() error { return v.error }

// verdictOf makes an error a verdict; nil stays nil.
func verdictOf(err error) error {
	if err == nil {
		return nil
	}
	return verdict{err}
}

// query makes a command that reads: run returns a value, and it is printed. A
// value beside an error is printed only where the error is a verdict on it.
func (a *app) query(c *cobra.Command, run func(c *cobra.Command, args []string) (any, error)) *cobra.Command {
	a.formFlags(c)
	c.RunE = func(c *cobra.Command, args []string) error {
		v, err := run(c, args)
		if err != nil && !is[verdict](err) {
			return err
		}
		return errors.Join(err, a.show(v))
	}
	return c
}

func (a *app) formFlags(c *cobra.Command) {
	c.Flags().BoolVar(&a.out.csv, "csv", false, "print the result as CSV")
	c.Flags().StringVar(&a.out.template, "template", "", "print the result through a Go template")
}

// options are how a result is printed. Flags that make no sense are found
// before anything happens: after a transaction was sent is too late.
func (f *outputFlags) options() (view.Options, error) {
	o := view.Options{Format: view.Table, Template: f.template}
	asked := 0
	for _, form := range []struct {
		on     bool
		format view.Format
	}{{f.json, view.JSON}, {f.csv, view.CSV}, {f.template != "", view.Template}} {
		if form.on {
			o.Format = form.format
			asked++
		}
	}
	if asked > 1 {
		return o, usagef("--json, --csv and --template exclude each other")
	}
	if err := view.CheckTemplate(f.template); err != nil {
		return o, usagef("--template: %w", err)
	}
	return o, nil
}

// show prints a result to standard output, in the form that was asked for.
func (a *app) show(v any) error {
	o, err := a.out.options()
	if err != nil {
		return err
	}
	o.Width = a.width(a.env.Out)
	return view.Render(a.env.Out, v, o)
}

// tell prints a value for people to standard error.
func (a *app) tell(v any) error {
	if a.silent() {
		return nil
	}
	if err := view.Render(a.env.Err, v, view.Options{Format: view.Table, Width: a.width(a.env.Err)}); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.env.Err)
	return err
}

// say prints a line for people to standard error.
func (a *app) say(format string, args ...any) {
	if !a.silent() {
		fmt.Fprintf(a.env.Err, "%s\n", printable.Line(fmt.Sprintf(format, args...)))
	}
}

// silent reports that standard error belongs to errors alone.
func (a *app) silent() bool { return a.out.json || a.out.quiet }

// busy shows that something takes its time; the caller stops it.
func (a *app) busy(text string) *term.Progress {
	if a.silent() {
		return nil
	}
	return term.StartProgress(a.env.Err, text)
}

// width is how many columns a stream shows; 0 is unlimited, as for a file or a
// pipe, whose reader must not depend on the window that it was started from.
func (a *app) width(w io.Writer) int {
	if a.env.Width == nil {
		return 0
	}
	return a.env.Width(w)
}

// failure is an error as JSON.
type failure struct {
	Error struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint,omitempty"`

		// Extrinsic is set where one was signed: its fate is in the journal.
		Extrinsic string `json:"extrinsic,omitempty"`
	} `json:"error"`
}

// report prints an error: one line, and one of advice where there is some.
func (a *app) report(err error) {
	message, advice := err.Error(), hint(err)
	if !a.out.json {
		fmt.Fprintf(a.env.Err, "taoctl: %s\n", printable.Text(message))
		if advice != "" {
			fmt.Fprintf(a.env.Err, "hint: %s\n", advice)
		}
		return
	}
	var f failure
	f.Error.Code, f.Error.Message, f.Error.Hint = exitCode(err), message, advice
	var unknown *tx.UnknownError
	if errors.As(err, &unknown) {
		f.Error.Extrinsic = unknown.Extrinsic.String()
	}
	out := json.NewEncoder(a.env.Err)
	out.SetEscapeHTML(false)
	// Standard error is the last place to complain to; there is no other.
	_ = out.Encode(f)
}
