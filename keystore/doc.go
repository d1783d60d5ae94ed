// Package keystore holds the keys of a wallet: it makes and imports them, keeps
// them in Bittensor's own files, and signs with them.
//
// A [Store] is a wallets folder as btcli and the official SDKs use it:
//
//	<wallet>/coldkey               the secret, encrypted ($NACL)
//	<wallet>/coldkeypub.txt        its public half, JSON
//	<wallet>/hotkeys/<name>        a secret
//	<wallet>/hotkeys/<name>pub.txt its public half
//
// A [Key] is an unlocked secret. It signs and is wiped; nothing prints it: the
// bytes stand in a closure, out of reach of fmt, slog, encoding/json and
// text/template. Passphrases come through a [Passphrase] callback, and only
// when a file really needs one.
//
// Files are an attacker's input: sizes, costs and types are bounded before
// anything is done with them, symbolic links may not leave the wallets folder,
// and a file that others may read or write is refused. What a file says of a
// key (its address, its scheme) is checked against the secret in it, and a
// contradiction is an error that names the fields.
//
// Writing never risks a key: the new file is encrypted, decrypted again and
// compared before it takes its name, the change is atomic, an existing key is
// replaced only where the caller says so and is then kept as a backup, and
// processes take turns by a file lock.
//
// The package knows no chain, prints nothing and reads no environment.
package keystore
