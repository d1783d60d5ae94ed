package view

import (
	"bytes"
	"encoding/csv"
	"errors"
	"regexp"
	"strings"

	"github.com/taoctl/taoctl/internal/printable"
)

// renderCSV prints a header line of JSON names and one line for each record.
// Structs within structs become columns ("balance.free"). Of a struct that
// holds one list of records each line is one of those, after the fields of the
// struct itself.
func renderCSV(out *bytes.Buffer, n node) error {
	g := newGrid(rowsOf(n))
	if g == nil {
		return errors.New("it does not fit the rows and columns of CSV; use JSON")
	}
	w := csv.NewWriter(out)
	line := make([]string, len(g.columns))
	for i, c := range g.columns {
		line[i] = guard(printable.Line(c.path), false)
	}
	if err := w.Write(line); err != nil {
		return err
	}
	for row := range g.rows {
		for i := range g.columns {
			n := g.cell(row, i)
			line[i] = guard(csvText(n), n.number)
		}
		if err := w.Write(line); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// rowsOf returns n as a list of records.
func rowsOf(n node) node {
	switch {
	case n.kind == scalar:
		return rowsOf(node{kind: record, fields: []field{{name: "value", node: n}}})
	case n.kind == record:
		return spread(n)
	case n.isScalars() && n.shape == nil:
		wrapped := node{kind: list}
		for _, item := range n.items {
			wrapped.items = append(wrapped.items, node{kind: record, fields: []field{{name: "value", node: item}}})
		}
		return wrapped
	}
	return n
}

// spread returns one record for each item of the list of records that n holds,
// with n's other fields in front. Without such a list that is n itself.
func spread(n node) node {
	at := -1
	for i, f := range n.fields {
		if f.node.kind == list && (f.node.shape != nil || !f.node.isScalars()) {
			at = i
			break
		}
	}
	if at < 0 {
		return node{kind: list, items: []node{n}}
	}
	with := func(item node) node {
		fields := append([]field{}, n.fields[:at]...)
		fields = append(fields, n.fields[at+1:]...)
		return node{kind: record, fields: append(fields, field{name: n.fields[at].name, node: item})}
	}
	rows := node{kind: list}
	if shape := n.fields[at].node.shape; shape != nil {
		s := with(*shape)
		rows.shape = &s
	}
	for _, item := range n.fields[at].node.items {
		item.inline = false // a JSON object spreads over columns too
		rows.items = append(rows.items, with(item))
	}
	return rows
}

func csvText(n node) string {
	switch {
	case n.kind == absent:
		return ""
	case n.kind == list:
		return strings.Join(strings.Fields(joined(n.items, csvText)), " ")
	case n.kind == record:
		return joined(n.fields, func(f field) string { return printable.Line(f.name) + " " + csvText(f.node) })
	}
	if b, ok := n.value.(bool); ok && b {
		return "true"
	} else if ok {
		return "false"
	}
	return printable.Line(n.text)
}

// numeral matches what a spreadsheet reads as a number and not as a formula.
var numeral = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?%?$`)

// guard keeps a spreadsheet from running a cell as a formula: texts that begin
// with = + - @ get an apostrophe in front (OWASP, "CSV injection"). Tabs and
// carriage returns, the other two that begin a formula, are escapes by now.
// Numbers stay as they are, negative ones too.
func guard(s string, number bool) string {
	if s == "" || !strings.ContainsRune("=+-@＝＋－＠", []rune(s)[0]) || number && numeral.MatchString(s) {
		return s
	}
	return "'" + s
}
