// Package view prints results. A command returns a value, a struct or a slice
// whose fields carry json names, and view prints it as a table for people, or
// as JSON, CSV or through a template for programs. No command prints itself, so
// all look alike and none forgets a form.
//
// # Tags
//
// The json tag gives the name of a field in every form; its options omitempty
// and omitzero, and the name "-", mean what they mean in encoding/json. For
// people "block_hash" becomes "block hash". The view tag changes that:
//
//	Free   tao.Amount `json:"free" view:"free (TAO)"` // another label
//	Raw    string     `json:"raw" view:"-"`           // not in tables
//	Change string     `json:"change" view:",right"`   // aligned as a number
//	Steps  []string   `json:"steps" view:",lines"`    // in tables one below the other
//
// # Values
//
// Text comes from encoding.TextMarshaler, then fmt.Stringer, then the kind; a
// time.Time is RFC 3339 in UTC. Types whose underlying kind is a number are
// aligned to the right, at the decimal point. A value with its own MarshalJSON,
// such as json.RawMessage, is shown as the JSON it makes, its members in order.
//
// # Strangers
//
// Names of subnets and identities are chosen by strangers. Tables, CSV and
// templates print values through package printable, so that a hostile name
// cannot move the cursor, reverse the line or pass for a column.
package view

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// Format is a form of output.
type Format int

// The forms of output. Only JSON is a promise to programs in every detail.
const (
	Table    Format = iota // aligned text for people
	JSON                   // encoding/json, indented by two spaces, without HTML escapes
	CSV                    // encoding/csv with one header line
	Template               // Options.Template, a text/template over the JSON names
	JSONLine               // JSON on one line, for results that come one after the other
)

// Options say how to print.
type Options struct {
	Format   Format
	Template string // for Format Template
	Width    int    // columns of the terminal; 0 is unlimited. Only Table looks at it
	Colour   bool   // whether labels are set off by bold type. Only Table looks at it
}

// Render prints v to w. Errors say that v has no such form, that the template
// does not fit it, or that w could not be written.
//
// Nothing is written when v cannot be printed, so a reader never sees half a
// result.
func Render(w io.Writer, v any, o Options) error {
	var out bytes.Buffer
	if err := render(&out, v, o); err != nil {
		return fmt.Errorf("printing the result: %w", err)
	}
	if _, err := w.Write(out.Bytes()); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

func render(out *bytes.Buffer, v any, o Options) error {
	switch o.Format {
	case JSON:
		return renderJSON(out, v, "  ")
	case JSONLine:
		return renderJSON(out, v, "")
	}
	n, err := read(v)
	if err != nil {
		return err
	}
	switch o.Format {
	case Table:
		renderTable(out, n, o)
		return nil
	case CSV:
		return renderCSV(out, n)
	case Template:
		return renderTemplate(out, n, o.Template)
	}
	return fmt.Errorf("format %d is unknown", o.Format)
}

func renderJSON(out io.Writer, v any, indent string) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	return e.Encode(v)
}
