// Package agent holds unlocked keys for a while, so that not every command pays
// for deriving a key from a password: about four seconds and 512 MiB each time.
// It is to key files what ssh-agent is to SSH keys.
//
// A [Server] listens on a Unix socket that only its own user can reach, and
// asks the system for the user at the other end of every connection. It takes
// keys, signs with them, lists their accounts, and forgets them: each when its
// time is over, all when it is told to or when it ends. The protocol has no
// message that gives a key out. A [Client] asks it; its [Signer] stands where a
// key would.
//
// Whoever runs programs as the same user can have the agent sign anything while
// it holds a key. It protects against losing the key, not against that.
package agent
