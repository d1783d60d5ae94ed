// Package remote searches for proofs of work in another process: one that loads
// drivers which nobody here answers for, and so must not be the process that holds
// keys.
//
// taoctl starts the program taoctl-opencl ([Find], [Program]), once to ask which
// devices there are and once more for each device that is to work, so that one
// whose driver fails takes no other along. Each such process is a [Worker] for
// powsolver's Solver. It is given public data alone, an environment of what drivers
// need ([Environment]) and nothing else, and no belief:
//
//   - before it is used it has to solve puzzles whose answers are known here,
//   - every nonce that it offers is verified here,
//   - a process that ends, gets no further for too long, says what makes no sense,
//     or says too much is killed, and the search goes on without it.
//
// What it cannot be held to is diligence: a device that passes the check and finds
// less than it claims to have tried goes unnoticed.
//
// # The protocol
//
// Both sides write lines of JSON, at most 64 KiB long: requests to the program's
// standard input, replies to its standard output. A reply carries the number of its
// request. The numbers are unsigned 64-bit integers, written in full.
//
//	{"id":1,"op":"devices"}
//	{"id":1,"event":"devices","protocol":1,"devices":[{"index":0,"name":"…",…}]}
//	{"id":2,"op":"open","device":0,"name":"…"}
//	{"id":2,"event":"ready","protocol":1}
//	{"id":3,"op":"search","puzzle":{…},"from":0,"count":4294967296}
//	{"id":3,"event":"progress","tried":16777216}
//	{"id":4,"op":"stop"}
//	{"id":3,"event":"stopped","tried":33554432}
//
// A search is answered by any number of "progress", and by one "found", "done",
// "stopped" or "failed" in the end; a further search stops the one before it, and so
// does "stop", which has no answer of its own. Any request may be answered by
// "failed" with a message. The program ends when its input does.
package remote
