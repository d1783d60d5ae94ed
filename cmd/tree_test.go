package cmd

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// each runs a test for every command of the tree but cobra's own.
func each(t *testing.T, check func(t *testing.T, c *cobra.Command)) {
	t.Helper()
	count := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		count++
		t.Run(c.CommandPath(), func(t *testing.T) { check(t, c) })
		for _, sub := range c.Commands() {
			if sub.Name() != "help" && sub.Name() != "completion" {
				walk(sub)
			}
		}
	}
	walk(Tree())
	if count < 30 {
		t.Fatalf("the tree has %d commands: the walk is broken", count)
	}
}

var (
	// verbPhrase is a phrase that begins with a verb, as far as form can tell: a
	// capital letter, no full stop.
	verbPhrase = regexp.MustCompile(`^[A-Z][a-z]+,? [^\n]*[^\n.]$`)
	// useLine is a name and arguments in capitals: NAME[/HOTKEY], FILE|0xHEX,
	// [KEY=VALUE]..., flags that must be there, and words to type as they are, in
	// lower case.
	useLine = regexp.MustCompile(`^[a-z-]+( (\[?[0-9A-Za-z_/=.|\[\] -]+\]?(\.\.\.)?|\|))*$`)
)

func TestWords(t *testing.T) {
	each(t, func(t *testing.T, c *cobra.Command) {
		if !verbPhrase.MatchString(c.Short) {
			t.Errorf("short text %q is not a capital verb phrase without a full stop", c.Short)
		}
		if !useLine.MatchString(c.Use) || strings.Count(c.Use, "[") != strings.Count(c.Use, "]") {
			t.Errorf("usage %q is not well formed", c.Use)
		}
		if c.Long != "" && (!strings.HasSuffix(c.Long, ".") && c.HasParent() || strings.Contains(c.Long, "  \n")) {
			t.Errorf("long text ends without a full stop, or a line of it in blanks: %q", c.Long)
		}
		for line := range strings.Lines(c.Long) {
			if len(line) > 91 {
				t.Errorf("a line of the long text has %d characters: %q", len(line)-1, line)
			}
		}
		if !c.Runnable() {
			t.Error("it cannot be run, and so would take any word for an argument")
		}
		if c.Args == nil && !strings.Contains(c.Use, "]...") {
			t.Error("it takes any arguments, and its usage says otherwise")
		}
	})
}

func TestFlagWords(t *testing.T) {
	each(t, func(t *testing.T, c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Usage == "" || f.Usage[0] >= 'A' && f.Usage[0] <= 'Z' && !strings.HasPrefix(f.Usage, "TAO ") || strings.HasSuffix(f.Usage, ".") {
				t.Errorf("usage of --%s is not a lower-case phrase without a full stop: %q", f.Name, f.Usage)
			}
			if strings.Contains(f.Name, "_") || f.Name != strings.ToLower(f.Name) {
				t.Errorf("--%s is not written in small letters and dashes", f.Name)
			}
			if f.Value.Type() == "string" && regexp.MustCompile(`^(.*-)?(password|mnemonic|seed|phrase)$`).MatchString(f.Name) {
				t.Errorf("--%s would hold a secret, which every user of the machine can see", f.Name)
			}
		})
	})
}

// TestShorthands finds one letter that means two things.
func TestShorthands(t *testing.T) {
	meaning := map[string]string{}
	each(t, func(t *testing.T, c *cobra.Command) {
		c.Flags().VisitAll(func(f *pflag.Flag) {
			if f.Shorthand == "" {
				return
			}
			if before := meaning[f.Shorthand]; before != "" && before != f.Name {
				t.Errorf("-%s is --%s here and --%s elsewhere", f.Shorthand, f.Name, before)
			}
			meaning[f.Shorthand] = f.Name
		})
	})
}

// TestChangeFlags checks that what can be done to one transaction can be done
// to all: whoever can --dry-run can do all the rest.
func TestChangeFlags(t *testing.T) {
	all := []string{
		"yes", "dry-run", "out", "wait", "timeout", "era", "tip", "nonce", "again",
		"network", "endpoint", "genesis-hash", "wallet", "wallet-path", "password-file", "password-command",
		"csv", "template",
	}
	var changing []string
	each(t, func(t *testing.T, c *cobra.Command) {
		var has []string
		for _, name := range all {
			if c.Flags().Lookup(name) != nil {
				has = append(has, name)
			}
		}
		if !slices.Contains(has, "dry-run") {
			return
		}
		changing = append(changing, c.CommandPath())
		if !slices.Equal(has, all) {
			t.Errorf("flags %v, want all of %v", has, all)
		}
	})
	for _, must := range []string{"taoctl transfer", "taoctl call"} {
		if !slices.Contains(changing, must) {
			t.Errorf("%s changes the chain and has no --dry-run", must)
		}
	}
}

// TestExamples runs the examples as far as their flags and arguments go.
func TestExamples(t *testing.T) {
	each(t, func(t *testing.T, c *cobra.Command) {
		for _, line := range exampleLines(c.Example) {
			args := shellWords(t, line)
			if len(args) == 0 || args[0] != "taoctl" {
				t.Errorf("example %q does not begin with taoctl", line)
				continue
			}
			checkExample(t, c, line, args[1:])
		}
	})
}

func checkExample(t *testing.T, c *cobra.Command, line string, args []string) {
	t.Helper()
	found, rest, err := Tree().Find(args)
	if err != nil || found.CommandPath() != c.CommandPath() {
		t.Errorf("example %q is one of %s (%v)", line, found.CommandPath(), err)
		return
	}
	if err := found.ParseFlags(rest); err != nil {
		t.Errorf("example %q: %v", line, err)
		return
	}
	if err := found.ValidateArgs(found.Flags().Args()); err != nil {
		t.Errorf("example %q: %v", line, err)
	}
}

// exampleLines joins what a backslash continues.
func exampleLines(example string) (list []string) {
	joined := strings.ReplaceAll(example, "\\\n", " ")
	for line := range strings.Lines(joined) {
		if line = strings.TrimSpace(line); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// shellWords splits a line as a shell does, as far as examples need it: blanks,
// quotes of both kinds, and an input redirection, which is dropped.
func shellWords(t *testing.T, line string) (words []string) {
	t.Helper()
	line, _, _ = strings.Cut(line, " < ")
	pattern := regexp.MustCompile(`'[^']*'|"[^"]*"|[^\s'"]+`)
	for _, word := range pattern.FindAllString(line, -1) {
		if word[0] == '\'' || word[0] == '"' {
			word = word[1 : len(word)-1]
		}
		words = append(words, word)
	}
	return words
}

// TestExitTable compares the table with the constants, and with what the help
// says, from which the man page is made.
func TestExitTable(t *testing.T) {
	var codes []int
	for _, e := range exitTable {
		codes = append(codes, e.Code)
		if e.Meaning == "" {
			t.Errorf("code %d has no meaning", e.Code)
		}
		if !strings.Contains(Tree().Long, fmt.Sprintf("%3d  %s", e.Code, e.Meaning)) {
			t.Errorf("the help does not tell of code %d", e.Code)
		}
	}
	source, err := os.ReadFile("exit.go")
	if err != nil {
		t.Fatal(err)
	}
	var constants []int
	for _, m := range regexp.MustCompile(`(?m)^\texit[A-Z]\w+ += (\d+)$`).FindAllStringSubmatch(string(source), -1) {
		code, err := strconv.Atoi(m[1])
		if err != nil {
			t.Fatal(err)
		}
		constants = append(constants, code)
	}
	if !slices.Equal(codes, constants) {
		t.Errorf("the table has the codes %v, exit.go the constants %v", codes, constants)
	}
}
