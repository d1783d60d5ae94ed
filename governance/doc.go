// Package governance knows what can be decided on a chain and by whom: who has
// a vote, what is proposed, what a proposal would do, and how to vote on it.
//
// Which way of deciding a runtime has is told by its metadata, never by its
// version or the network's name. There are two, behind one [Model]: the
// collective (pallets Triumvirate, TriumvirateMembers and SenateMembers, specs
// 149 to 326), and referenda (Referenda, SignedVoting, MultiCollective), which
// no live chain has yet. A runtime with neither is decided on by its sudo key,
// and [SudoOf] tells what is known of that key.
//
// Like every domain it never signs, sends, asks or prints.
package governance
