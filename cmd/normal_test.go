//go:build unix

package cmd_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// varying are the fields whose value differs from run to run, because sr25519
// signatures are random: they, what contains them, and the hashes of both. The
// length stays, and is kept.
var varying = regexp.MustCompile(`"(extrinsic|block_hash|hash|signature|bytes)": ?"0x([0-9a-f]*)"`)

// normal writes a JSON text to a file with all that varies replaced: random
// bytes by their number, and the values of $URL, $WORK, $GENESIS and the variables
// named by those names.
func normal(ts *testscript.TestScript, args []string) {
	text := varying.ReplaceAllStringFunc(ts.ReadFile(args[0]), func(field string) string {
		part := varying.FindStringSubmatch(field)
		if "0x"+part[2] == ts.Getenv("GENESIS") {
			return fmt.Sprintf(`"%s": "$GENESIS"`, part[1])
		}
		return fmt.Sprintf(`"%s": "0x(%d bytes)"`, part[1], len(part[2])/2)
	})
	for _, name := range append([]string{"URL", "WORK", "GENESIS"}, args[2:]...) {
		if value := ts.Getenv(name); value != "" {
			text = strings.ReplaceAll(text, value, "$"+name)
		}
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), []byte(text), 0o600))
}
