package view

import (
	"slices"
	"strings"
)

// column is one column of a table or of CSV.
type column struct {
	path   string // names in JSON, joined by points: "balance.free"
	label  string // for people
	hidden bool   // not in tables
	omit   bool   // may be left out while empty
}

// grid is a list laid out in rows and columns. A cell is a scalar, a list of
// scalars, a record that came as JSON, or absent.
type grid struct {
	columns []column
	rows    [][]node
}

// newGrid lays out a list of records. Structs within structs become columns of
// their own. It returns nil where rows and columns cannot hold the list:
// because items are no records, or hold lists of records.
func newGrid(n node) *grid {
	g := &grid{}
	if n.shape != nil {
		g.add(n.shape.fields)
		g.rows = nil
	}
	for _, item := range n.items {
		if item.kind != record || !g.add(item.fields) {
			return nil
		}
	}
	if len(g.columns) == 0 {
		return nil
	}
	return g
}

// add adds a row, and the columns that it has first. It reports whether every
// value fits a cell.
func (g *grid) add(fields []field) bool {
	row := make([]node, len(g.columns))
	fits := true
	flatten(fields, column{}, func(c column, n node) {
		fits = fits && n.isCell()
		i := slices.IndexFunc(g.columns, func(have column) bool { return have.path == c.path })
		if i < 0 {
			i = len(g.columns)
			g.columns = append(g.columns, c)
		}
		for len(row) <= i {
			row = append(row, node{})
		}
		row[i] = n
	})
	g.rows = append(g.rows, row)
	return fits
}

// flatten calls each for every field, and for those of structs within.
func flatten(fields []field, parent column, each func(column, node)) {
	for _, f := range fields {
		c := column{
			path:   strings.TrimPrefix(parent.path+"."+f.name, "."),
			label:  strings.TrimPrefix(parent.label+" "+f.label, " "),
			hidden: parent.hidden || f.hidden,
			omit:   parent.omit || f.omit,
		}
		if shape := f.node.asShape(); shape != nil && f.node.kind != list {
			inner := shape.fields
			if f.node.kind == absent {
				inner = emptied(inner)
			}
			flatten(inner, c, each)
			continue
		}
		each(c, f.node)
	}
}

// emptied returns fields without their values.
func emptied(fields []field) []field {
	out := slices.Clone(fields)
	for i := range out {
		out[i].node = node{shape: out[i].node.asShape()}
	}
	return out
}

// cell returns the value in a row, absent if the row ends before it.
func (g *grid) cell(row, col int) node {
	if col >= len(g.rows[row]) {
		return node{}
	}
	return g.rows[row][col]
}

// isNumber reports whether a column holds numbers and nothing else.
func (g *grid) isNumber(col int) bool {
	seen := false
	for row := range g.rows {
		n := g.cell(row, col)
		if n.kind != absent && !n.number {
			return false
		}
		seen = seen || n.number
	}
	return seen
}

// isEmpty reports whether no row has a value in a column.
func (g *grid) isEmpty(col int) bool {
	for row := range g.rows {
		if g.cell(row, col).kind != absent {
			return false
		}
	}
	return true
}

// isCell reports whether n fits one cell.
func (n node) isCell() bool {
	return n.kind == absent || n.kind == scalar || n.kind == record && n.inline || n.isScalars()
}

// isTall reports whether n wants more than one line.
func (n node) isTall() bool { return n.lines && len(n.items) > 1 }

// isScalars reports whether n is a list of scalars.
func (n node) isScalars() bool {
	return n.kind == list && !slices.ContainsFunc(n.items, func(i node) bool { return i.kind != scalar })
}
