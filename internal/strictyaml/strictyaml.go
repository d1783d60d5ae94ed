// Package strictyaml reads YAML files that people write, in which a mistake
// must not pass: unknown and repeated fields, anchors and further documents are
// refused, and every error names its line.
package strictyaml

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"go.yaml.in/yaml/v3"
)

// Node is a value in a file.
type Node = yaml.Node

// Error says what is wrong in a file, and where.
type Error struct {
	Line   int // 0: the file as a whole
	Reason string
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return e.Reason
	}
	return fmt.Sprintf("line %d: %s", e.Line, e.Reason)
}

// At is an error about a value.
func At(n *Node, format string, args ...any) error {
	return &Error{Line: n.Line, Reason: fmt.Sprintf(format, args...)}
}

// maxFile bounds a file, in bytes.
const maxFile = 1 << 20

// Parse reads the one document of a file. Errors: *Error.
func Parse(text []byte) (*Node, error) {
	if len(text) > maxFile {
		return nil, &Error{Reason: fmt.Sprintf("it has more than %d bytes", maxFile)}
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	var root Node
	if err := d.Decode(&root); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{Reason: "it is empty"}
		}
		return nil, &Error{Reason: err.Error()}
	}
	if err := d.Decode(new(Node)); !errors.Is(err, io.EOF) {
		return nil, &Error{Reason: "it holds more than one document"}
	}
	return root.Content[0], nil
}

// Fields reads a mapping whose keys are known and come once.
func Fields(n *Node, known map[string]func(*Node) error) error {
	return Members(n, func(key, value *Node) error {
		read, ok := known[key.Value]
		if !ok {
			return At(key, "there is no field %q", key.Value)
		}
		return read(value)
	})
}

// Members calls each for every member of a mapping. Aliases are refused: they
// let a small file mean a large one.
func Members(n *Node, each func(key, value *Node) error) error {
	if n.Kind != yaml.MappingNode {
		return At(n, "this must be fields with values")
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		switch {
		case key.Kind != yaml.ScalarNode || value.Kind == yaml.AliasNode:
			return At(key, "anchors and nested keys have no place here")
		case seen[key.Value]:
			return At(key, "%q stands there twice", key.Value)
		}
		seen[key.Value] = true
		if err := each(key, value); err != nil {
			return err
		}
	}
	return nil
}

// Items calls each for every item of a list that is not empty.
func Items(n *Node, each func(*Node) error) error {
	if n.Kind != yaml.SequenceNode || len(n.Content) == 0 {
		return At(n, "this must be a list with something in it")
	}
	for _, item := range n.Content {
		if item.Kind == yaml.AliasNode {
			return At(item, "anchors have no place here")
		}
		if err := each(item); err != nil {
			return err
		}
	}
	return nil
}

// IsNull reports a value that was left out.
func IsNull(n *Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// Text reads a value as it is written.
func Text(n *Node, into *string) error {
	if n.Kind != yaml.ScalarNode || IsNull(n) {
		return At(n, "a value is missing")
	}
	*into = n.Value
	return nil
}

// Value reads a value through a parser of text.
func Value[V any](n *Node, into *V, parse func(string) (V, error)) error {
	var text string
	if err := Text(n, &text); err != nil {
		return err
	}
	v, err := parse(text)
	if err != nil {
		return At(n, "%v", err)
	}
	*into = v
	return nil
}
