//go:build unix

package scripttest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

func jsonq(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 4 {
		ts.Fatalf("usage: [!] jsonq FILE PATH ==|~|-> VALUE|VAR")
	}
	got, err := lookUp([]byte(ts.ReadFile(args[0])), args[1])
	ts.Check(err)
	op, want := args[2], args[3]
	same := false
	switch {
	case op == "->" && !neg:
		ts.Setenv(want, got)
		ts.Logf("[%s=%s]", want, got)
		return
	case op == "==":
		same = got == want
	case op == "~":
		same = strings.Contains(got, want)
	default:
		ts.Fatalf("jsonq: unknown %s", op)
	}
	if same == neg {
		ts.Fatalf("%s is %q; %v that it %s %q", args[1], got, map[bool]string{true: "unwanted", false: "wanted"}[neg], op, want)
	}
}

// lookUp finds a value in JSON by a path such as events.0.name; "." is the
// whole, "length" that of a list. Strings come without quotes, the rest as JSON.
func lookUp(doc []byte, path string) (string, error) {
	rest := json.RawMessage(bytes.TrimSpace(doc))
	if !json.Valid(rest) {
		return "", fmt.Errorf("%s: not JSON: %.300s", path, rest)
	}
	if path != "." {
		for step := range strings.SplitSeq(path, ".") {
			next, err := child(rest, step)
			if err != nil {
				return "", fmt.Errorf("%s: %w in %.300s", path, err, rest)
			}
			rest = next
		}
	}
	return text(rest), nil
}

func child(parent json.RawMessage, step string) (json.RawMessage, error) {
	var list []json.RawMessage
	if json.Unmarshal(parent, &list) == nil {
		if step == "length" {
			return json.RawMessage(strconv.Itoa(len(list))), nil
		}
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(list) {
			return nil, fmt.Errorf("no %s among %d", step, len(list))
		}
		return list[i], nil
	}
	var object map[string]json.RawMessage
	if err := json.Unmarshal(parent, &object); err != nil {
		return nil, err
	}
	value, ok := object[step]
	if !ok {
		return nil, fmt.Errorf("no %s", step)
	}
	return value, nil
}

// text is a JSON string's content, or other JSON as it stands.
func text(raw json.RawMessage) string {
	var s *string // null is no string
	if json.Unmarshal(raw, &s) == nil && s != nil {
		return *s
	}
	return string(raw)
}
