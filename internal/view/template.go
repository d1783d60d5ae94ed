package view

import (
	"fmt"
	"io"
	"strings"
	"text/template"

	"github.com/taoctl/taoctl/internal/printable"
)

// renderTemplate runs a text/template over the result. Its fields have their
// JSON names: {{range .}}{{.name}} {{.balance.free}}{{"\n"}}{{end}}. Numbers
// and booleans compare as such, amounts are text. A field left out as empty is
// nil and prints as <no value>; a name that the result cannot have is an error.
//
// Values are harmless text, as in tables. {{join ", " .list}} joins a list.
func renderTemplate(out io.Writer, n node, source string) error {
	t, err := parse(source)
	if err != nil {
		return err
	}
	return t.Execute(out, n.data())
}

// CheckTemplate reports what is wrong with a template before there is a result
// to print through it. Whether the result has its names is seen only then.
func CheckTemplate(source string) error {
	_, err := parse(source)
	return err
}

func parse(source string) (*template.Template, error) {
	return template.New("template").Option("missingkey=error").Funcs(template.FuncMap{"join": join}).Parse(source)
}

// join prints the items of a list with sep between them.
func join(sep string, items []any) string {
	texts := make([]string, len(items))
	for i, item := range items {
		texts[i] = fmt.Sprint(item)
	}
	return strings.Join(texts, sep)
}

// data returns n as plain Go values under JSON names.
func (n node) data() any {
	switch n.kind {
	case record:
		m := make(map[string]any, len(n.fields))
		for _, f := range n.fields {
			m[f.name] = f.node.data()
		}
		return m
	case list:
		items := make([]any, len(n.items))
		for i, item := range n.items {
			items[i] = item.data()
		}
		return items
	case scalar:
		if s, ok := n.value.(string); ok {
			return printable.Line(s)
		}
		return n.value
	}
	return nil
}
