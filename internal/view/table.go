package view

import (
	"bytes"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/taoctl/taoctl/internal/printable"
)

// nothing stands where a value is absent or empty.
const nothing = "-"

// step is how far a section is indented under its label.
const step = 2

// gap stands between columns.
const gap = "  "

// sheet is where a table is printed.
type sheet struct {
	out    *bytes.Buffer
	width  int // 0 is unlimited
	colour bool
}

func renderTable(out *bytes.Buffer, n node, o Options) {
	s := sheet{out: out, width: o.Width, colour: o.Colour}
	if n.kind != absent {
		s.block(n, 0)
	}
}

func (s sheet) block(n node, indent int) {
	switch {
	case n.kind == record:
		s.record(n.fields, indent)
	case n.kind == list && !n.isScalars():
		s.list(n, indent)
	case n.kind == list && n.shape != nil && indent == 0:
		s.grid(newGrid(n), indent) // no rows: the header says what there is none of
	case n.kind == list && len(n.items) > 0:
		for _, item := range n.items {
			s.line(indent, cellText(item))
		}
	default:
		s.line(indent, cellText(n))
	}
}

func (s sheet) line(indent int, text string) {
	if text == "" {
		s.out.WriteByte('\n')
		return
	}
	s.out.WriteString(strings.Repeat(" ", indent) + text + "\n")
}

// record prints labels and values in two aligned columns. What needs more than
// one line follows its label as an indented section.
func (s sheet) record(fields []field, indent int) {
	fields = shownFields(fields)
	labels := 0
	for _, f := range fields {
		if isLine(f.node) {
			labels = max(labels, width(f.label))
		}
	}
	for _, f := range fields {
		if !isLine(f.node) {
			s.line(indent, s.bold(f.label))
			s.block(f.node, indent+step)
			continue
		}
		hang := indent + labels + len(gap)
		value := wrap(cellText(f.node), s.width-hang, hang)
		s.line(indent, s.bold(text.AlignLeft.Apply(f.label, labels))+gap+value)
	}
}

func shownFields(fields []field) []field {
	var shown []field
	for _, f := range fields {
		if !f.hidden && !(f.omit && f.node.kind == absent) {
			f.label = printable.Line(f.label)
			shown = append(shown, f)
		}
	}
	return shown
}

// isLine reports whether n is printed behind its label.
func isLine(n node) bool {
	return n.kind == absent || n.kind == scalar || n.isScalars() && !n.isTall()
}

// list prints records as a table if that fits the width, and one after the
// other otherwise: an address is never cut.
func (s sheet) list(n node, indent int) {
	if g := newGrid(n); g != nil && !g.isTall() && s.grid(g, indent) {
		return
	}
	for i, item := range n.items {
		if i > 0 {
			s.line(0, "")
		}
		s.block(item, indent)
	}
}

// isTall reports a cell that wants more than one line.
func (g *grid) isTall() bool {
	return slices.ContainsFunc(g.rows, func(row []node) bool { return slices.ContainsFunc(row, node.isTall) })
}

// grid prints rows and columns. It prints nothing and returns false where that
// would be wider than the sheet, unless there is nothing but the header.
func (s sheet) grid(g *grid, indent int) bool {
	rendered := s.table(g).Render()
	if s.width > 0 && len(g.rows) > 0 && indent+text.LongestLineLen(rendered) > s.width {
		return false
	}
	for l := range strings.SplitSeq(rendered, "\n") {
		s.line(indent, l)
	}
	return true
}

func (s sheet) table(g *grid) table.Writer {
	var (
		configs []table.ColumnConfig
		header  table.Row
		columns [][]string
	)
	for i, c := range g.columns {
		if c.hidden || c.omit && g.isEmpty(i) {
			continue
		}
		align := text.AlignLeft
		if g.isNumber(i) {
			align = text.AlignRight
		}
		header = append(header, s.bold(printable.Line(c.label)))
		columns = append(columns, g.texts(i))
		configs = append(configs, table.ColumnConfig{Number: len(header), Align: align, AlignHeader: align})
	}
	t := table.NewWriter()
	t.SetStyle(plainStyle())
	t.SuppressTrailingSpaces()
	t.SetColumnConfigs(configs)
	t.AppendHeader(header)
	for row := range g.rows {
		t.AppendRow(rowOf(columns, row))
	}
	return t
}

func rowOf(columns [][]string, row int) table.Row {
	r := make(table.Row, len(columns))
	for i, c := range columns {
		r[i] = c[row]
	}
	return r
}

// plainStyle has no borders: columns are set apart by spaces, so a cell can be
// selected with a double click and a row can be cut by awk.
func plainStyle() table.Style {
	style := table.StyleDefault
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = gap
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format = table.FormatOptions{}
	return style
}

// texts returns the texts of a column; numbers are padded so that their decimal
// points stand below each other.
func (g *grid) texts(col int) []string {
	out := make([]string, len(g.rows))
	for row := range g.rows {
		out[row] = cellText(g.cell(row, col))
	}
	if g.isNumber(col) {
		alignPoints(out)
	}
	return out
}

func alignPoints(numbers []string) {
	longest := 0
	for _, s := range numbers {
		longest = max(longest, len(fraction(s)))
	}
	for i, s := range numbers {
		numbers[i] = s + strings.Repeat(" ", longest-len(fraction(s)))
	}
}

// fraction returns what follows the whole part of a number: ".5", "%", "".
func fraction(s string) string {
	whole := strings.IndexFunc(strings.TrimPrefix(s, "-"), func(r rune) bool { return r < '0' || r > '9' })
	if whole < 0 || s == nothing {
		return ""
	}
	return s[len(s)-len(strings.TrimPrefix(s, "-"))+whole:]
}

// cellText returns what is printed for a value in one line.
func cellText(n node) string {
	switch n.kind {
	case list:
		return orNothing(joined(n.items, cellText))
	case record:
		return orNothing(joined(n.fields, func(f field) string { return printable.Line(f.label) + " " + cellText(f.node) }))
	}
	return orNothing(printable.Line(n.text))
}

func joined[T any](items []T, each func(T) string) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = each(item)
	}
	return strings.Join(texts, ", ")
}

func orNothing(s string) string {
	if s == "" {
		return nothing
	}
	return s
}

// wrap breaks text between words so that no line is wider than limit, and
// indents the lines after the first. A word that is wider, such as an address,
// stays whole. A limit below 20 columns is not worth breaking for.
func wrap(s string, limit, indent int) string {
	if limit < 20 || width(s) <= limit {
		return s
	}
	var b strings.Builder
	used := 0
	for word := range strings.SplitSeq(s, " ") {
		switch w := width(word); {
		case used == 0:
			used = w
		case used+1+w > limit:
			b.WriteString("\n" + strings.Repeat(" ", indent))
			used = w
		default:
			b.WriteByte(' ')
			used += 1 + w
		}
		b.WriteString(word)
	}
	return b.String()
}

func width(s string) int { return text.StringWidthWithoutEscSequences(s) }

func (s sheet) bold(label string) string {
	if !s.colour {
		return label
	}
	return "\x1b[1m" + label + "\x1b[0m"
}
