package executor

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"

	"github.com/cespare/xxhash/v2"
	"golang.org/x/crypto/blake2b"
	"golang.org/x/crypto/sha3"
)

// functions are host functions by the name under which runtimes import them. A
// span is a pointer in the low half of 64 bits, and a length in the high one; most
// results are spans of SCALE.
type functions map[string]func(*call, []uint64)

// hostFunctions are those that this package knows.
func hostFunctions() functions {
	all := absentFunctions()
	for _, group := range []functions{processFunctions(), hashFunctions(), storageFunctions(), cryptoFunctions()} {
		maps.Copy(all, group)
	}
	return all
}

// processFunctions are about the memory, what a runtime says, and code.
func processFunctions() functions {
	return functions{
		"ext_allocator_malloc_version_1": func(c *call, s []uint64) { s[0] = uint64(c.take(uint32(s[0]))) },
		"ext_allocator_free_version_1": func(c *call, s []uint64) {
			if !c.heap.give(uint32(s[0])) {
				c.stop(fmt.Errorf("it freed what it was not given"))
			}
		},
		"ext_logging_max_level_version_1": func(_ *call, s []uint64) { s[0] = 1 }, // errors alone
		"ext_logging_log_version_1": func(c *call, s []uint64) {
			if s[0] <= 1 {
				c.say(c.span(s[2]))
			}
		},
		"ext_misc_print_utf8_version_1": nothing,
		"ext_misc_print_hex_version_1":  nothing,
		"ext_misc_print_num_version_1":  nothing,
		"ext_panic_handler_abort_on_panic_version_1": func(c *call, s []uint64) {
			c.say(c.span(s[0]))
			panic("aborted")
		},
		"ext_misc_runtime_version_version_1":    versionOf,
		"ext_wasm_tracing_enabled_version_1":    func(_ *call, s []uint64) { s[0] = 0 },
		"ext_wasm_tracing_enter_span_version_1": func(_ *call, s []uint64) { s[0] = 0 },
		"ext_wasm_tracing_exit_version_1":       nothing,
		"ext_offchain_index_set_version_1":      nothing,
		"ext_offchain_index_clear_version_1":    nothing,
		"ext_offchain_is_validator_version_1":   func(_ *call, s []uint64) { s[0] = 0 },
	}
}

// hashFunctions take a span and give a pointer.
func hashFunctions() functions {
	return functions{
		"ext_hashing_blake2_128_version_1": hashes(blake128),
		"ext_hashing_blake2_256_version_1": hashes(func(b []byte) []byte { h := blake2b.Sum256(b); return h[:] }),
		"ext_hashing_keccak_256_version_1": hashes(func(b []byte) []byte { h := sha3.NewLegacyKeccak256(); h.Write(b); return h.Sum(nil) }),
		"ext_hashing_keccak_512_version_1": hashes(func(b []byte) []byte { h := sha3.NewLegacyKeccak512(); h.Write(b); return h.Sum(nil) }),
		"ext_hashing_sha2_256_version_1":   hashes(func(b []byte) []byte { h := sha256.Sum256(b); return h[:] }),
		"ext_hashing_twox_64_version_1":    hashes(twox(1)),
		"ext_hashing_twox_128_version_1":   hashes(twox(2)),
		"ext_hashing_twox_256_version_1":   hashes(twox(4)),
	}
}

// storageFunctions are about the state and its transactions.
func storageFunctions() functions {
	return functions{
		"ext_storage_get_version_1": func(c *call, s []uint64) { s[0] = c.option(c.get(c.key(s[0]))) },
		"ext_storage_exists_version_1": func(c *call, s []uint64) {
			_, ok := c.get(c.key(s[0]))
			s[0] = flag(ok)
		},
		"ext_storage_read_version_1": read,
		"ext_storage_set_version_1": func(c *call, s []uint64) {
			c.set(c.key(s[0]), bytes.Clone(c.span(s[1])))
		},
		"ext_storage_clear_version_1": func(c *call, s []uint64) { c.remove(c.key(s[0])) },
		"ext_storage_clear_prefix_version_1": func(c *call, s []uint64) {
			c.clear(c.key(s[0]), math.MaxUint32)
		},
		"ext_storage_clear_prefix_version_2": func(c *call, s []uint64) { // Option<u32> → enum: all removed, or some remain; how many were removed
			limit := uint32(math.MaxUint32)
			if o := c.span(s[1]); len(o) == 5 && o[0] == 1 {
				limit = binary.LittleEndian.Uint32(o[1:])
			}
			removed, left := c.clear(c.key(s[0]), limit)
			s[0] = c.put(binary.LittleEndian.AppendUint32([]byte{byte(flag(left))}, removed))
		},
		"ext_storage_append_version_1": func(c *call, s []uint64) { c.append(c.key(s[0]), bytes.Clone(c.span(s[1]))) },
		"ext_storage_next_key_version_1": func(c *call, s []uint64) {
			k, ok := c.next(c.key(s[0]))
			s[0] = c.option([]byte(k), ok)
		},
		"ext_storage_root_version_1":                 func(c *call, s []uint64) { s[0] = c.put(c.root()) },
		"ext_storage_root_version_2":                 func(c *call, s []uint64) { s[0] = c.put(c.root()) },
		"ext_storage_changes_root_version_1":         func(c *call, s []uint64) { s[0] = c.put([]byte{0}) },
		"ext_storage_start_transaction_version_1":    func(c *call, _ []uint64) { c.begin() },
		"ext_storage_rollback_transaction_version_1": func(c *call, _ []uint64) { c.end(false) },
		"ext_storage_commit_transaction_version_1":   func(c *call, _ []uint64) { c.end(true) },
		"ext_storage_proof_size_storage_proof_size_version_1": func(_ *call, s []uint64) {
			s[0] = math.MaxUint64 // no proof is recorded
		},
		"ext_trie_blake2_256_ordered_root_version_1": ordered(func([]uint64) byte { return 0 }),
		"ext_trie_blake2_256_ordered_root_version_2": ordered(func(s []uint64) byte { return byte(s[1]) }),
	}
}

// cryptoFunctions check signatures.
func cryptoFunctions() functions {
	return functions{
		"ext_crypto_sr25519_verify_version_1":         verifies(64, 32, sr25519Good),
		"ext_crypto_sr25519_verify_version_2":         verifies(64, 32, sr25519Good),
		"ext_crypto_ed25519_verify_version_1":         verifies(64, 32, ed25519Good),
		"ext_crypto_ecdsa_verify_version_1":           verifies(65, 33, ecdsaGood),
		"ext_crypto_ecdsa_verify_version_2":           verifies(65, 33, ecdsaGood),
		"ext_crypto_ecdsa_verify_prehashed_version_1": ecdsaPrehashed,
		// Batches are verified one by one; their end is whether all were good.
		"ext_crypto_start_batch_verify_version_1":                 nothing,
		"ext_crypto_finish_batch_verify_version_1":                func(_ *call, s []uint64) { s[0] = 1 },
		"ext_crypto_secp256k1_ecdsa_recover_version_1":            recovers(plainKey),
		"ext_crypto_secp256k1_ecdsa_recover_version_2":            recovers(plainKey),
		"ext_crypto_secp256k1_ecdsa_recover_compressed_version_1": recovers(compressedKey),
		"ext_crypto_secp256k1_ecdsa_recover_compressed_version_2": recovers(compressedKey),
	}
}

// absentNames are functions, without the "ext_" that all begin with, that exist so
// that code that imports them can be loaded. They end a call that wants one: no
// transaction of a wallet does.
var absentNames = map[string][]string{
	"a node's keystore": {
		"crypto_ed25519_generate_version_1",
		"crypto_ed25519_sign_version_1",
		"crypto_ed25519_public_keys_version_1",
		"crypto_sr25519_generate_version_1",
		"crypto_sr25519_sign_version_1",
		"crypto_sr25519_public_keys_version_1",
		"crypto_ecdsa_generate_version_1",
		"crypto_ecdsa_sign_version_1",
		"crypto_ecdsa_sign_prehashed_version_1",
		"crypto_ecdsa_public_keys_version_1",
		"crypto_bls381_generate_version_1",
		"crypto_ecdsa_bls381_generate_version_1",
		"crypto_bandersnatch_generate_version_1",
	},
	"verifying in batches": {
		"crypto_ed25519_batch_verify_version_1",
		"crypto_sr25519_batch_verify_version_1",
		"crypto_ecdsa_batch_verify_version_1",
	},
	"another trie": {
		"trie_blake2_256_root_version_1",
		"trie_blake2_256_root_version_2",
		"trie_keccak_256_root_version_1",
		"trie_keccak_256_root_version_2",
		"trie_keccak_256_ordered_root_version_1",
		"trie_keccak_256_ordered_root_version_2",
		"trie_blake2_256_verify_proof_version_1",
		"trie_blake2_256_verify_proof_version_2",
		"trie_keccak_256_verify_proof_version_1",
		"trie_keccak_256_verify_proof_version_2",
		"transaction_index_index_version_1",
		"transaction_index_renew_version_1",
	},
	"an off-chain worker": {
		"offchain_submit_transaction_version_1",
		"offchain_timestamp_version_1",
		"offchain_random_seed_version_1",
		"offchain_sleep_until_version_1",
		"offchain_network_state_version_1",
		"offchain_set_authorized_nodes_version_1",
		"offchain_local_storage_get_version_1",
		"offchain_local_storage_set_version_1",
		"offchain_local_storage_clear_version_1",
		"offchain_local_storage_compare_and_set_version_1",
		"offchain_http_request_start_version_1",
		"offchain_http_request_add_header_version_1",
		"offchain_http_request_write_body_version_1",
		"offchain_http_response_wait_version_1",
		"offchain_http_response_headers_version_1",
		"offchain_http_response_read_body_version_1",
	},
	"child storage": {
		"default_child_storage_get_version_1",
		"default_child_storage_read_version_1",
		"default_child_storage_set_version_1",
		"default_child_storage_clear_version_1",
		"default_child_storage_exists_version_1",
		"default_child_storage_next_key_version_1",
		"default_child_storage_root_version_1",
		"default_child_storage_root_version_2",
		"default_child_storage_clear_prefix_version_1",
		"default_child_storage_clear_prefix_version_2",
		"default_child_storage_storage_kill_version_1",
		"default_child_storage_storage_kill_version_2",
		"default_child_storage_storage_kill_version_3",
	},
	"pairings on bls12-381": {
		"host_calls_bls12_381_multi_miller_loop_version_1",
		"host_calls_bls12_381_final_exponentiation_version_1",
		"host_calls_bls12_381_msm_g1_version_1",
		"host_calls_bls12_381_msm_g2_version_1",
		"host_calls_bls12_381_mul_projective_g1_version_1",
		"host_calls_bls12_381_mul_projective_g2_version_1",
		"host_calls_bls12_381_mul_affine_g1_version_1",
		"host_calls_bls12_381_mul_affine_g2_version_1",
	},
	"benchmarking": {
		"benchmarking_current_time_version_1",
		"benchmarking_wipe_db_version_1",
		"benchmarking_commit_db_version_1",
		"benchmarking_read_write_count_version_1",
		"benchmarking_reset_read_write_count_version_1",
		"benchmarking_get_whitelist_version_1",
		"benchmarking_set_whitelist_version_1",
		"benchmarking_add_to_whitelist_version_1",
		"benchmarking_remove_from_whitelist_version_1",
		"benchmarking_get_read_and_written_keys_version_1",
		"benchmarking_proof_size_version_1",
		"benchmarking_store_current_time_version_1",
	},
}

func absentFunctions() functions {
	all := functions{}
	for what, names := range absentNames {
		for _, name := range names {
			all["ext_"+name] = absent(what)
		}
	}
	return all
}

func nothing(*call, []uint64) {}

// absent ends the call, and says what was wanted.
func absent(what string) func(*call, []uint64) {
	return func(c *call, _ []uint64) { c.stop(fmt.Errorf("the runtime asked for %s, which is not provided", what)) }
}

func (c *call) take(n uint32) uint32 {
	at, err := c.heap.take(n)
	if err != nil {
		c.stop(err)
	}
	return at
}

func (c *call) bytes(at, n uint32) []byte {
	b, ok := c.memory.Read(at, n)
	if !ok {
		c.stop(fmt.Errorf("it pointed outside of its memory"))
	}
	return b
}

// span is the memory that a span means; it is valid until the runtime goes on.
func (c *call) span(s uint64) []byte { return c.bytes(uint32(s), uint32(s>>32)) }

func (c *call) key(s uint64) string { return string(c.span(s)) }

// put copies bytes into the runtime's memory.
func (c *call) put(b []byte) uint64 {
	at := c.take(uint32(len(b)))
	copy(c.bytes(at, uint32(len(b))), b)
	return uint64(at) | uint64(len(b))<<32
}

// option is Option<Vec<u8>>.
func (c *call) option(v []byte, ok bool) uint64 {
	if !ok {
		return c.put([]byte{0})
	}
	return c.put(append(appendCompact([]byte{1}, uint32(len(v))), v...))
}

func flag(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// read copies a value from an offset on, as far as there is room, and says how
// long the value is from there: Option<u32>.
func read(c *call, s []uint64) {
	v, ok := c.get(c.key(s[0]))
	if !ok {
		s[0] = c.put([]byte{0})
		return
	}
	v = v[min(int(uint32(s[2])), len(v)):]
	copy(c.span(s[1]), v)
	s[0] = c.put(binary.LittleEndian.AppendUint32([]byte{1}, uint32(len(v))))
}

// maxWords bounds what is kept of what a runtime logs, in lines and bytes.
const maxWords = 1 << 10

// say keeps an error that the runtime logged.
func (c *call) say(b []byte) {
	c.errors = append(c.errors[max(0, len(c.errors)-8):], string(b[:min(len(b), maxWords)]))
}

func (c *call) lastWords() string {
	if len(c.errors) == 0 {
		return ""
	}
	return c.errors[len(c.errors)-1]
}

func hashes(sum func([]byte) []byte) func(*call, []uint64) {
	return func(c *call, s []uint64) { s[0] = uint64(uint32(c.put(sum(c.span(s[0]))))) }
}

func blake128(b []byte) []byte {
	h, err := blake2b.New(16, nil)
	if err != nil {
		panic(err) // 16 is a size that it has
	}
	h.Write(b)
	return h.Sum(nil)
}

// twox is n xxHash64 with the seeds 0, 1, ….
func twox(n int) func([]byte) []byte {
	return func(b []byte) []byte {
		out := make([]byte, 0, 8*n)
		for seed := range n {
			d := xxhash.NewWithSeed(uint64(seed))
			_, _ = d.Write(b)
			out = binary.LittleEndian.AppendUint64(out, d.Sum64())
		}
		return out
	}
}

// root stands for the trie's root: a hash of what was written.
func (c *call) root() []byte {
	h, err := blake2b.New256(nil)
	if err != nil {
		panic(err) // no key
	}
	for _, change := range c.changes() {
		h.Write(appendCompact(nil, uint32(len(change.Key))))
		h.Write(change.Key)
		h.Write(appendCompact([]byte{byte(flag(change.Deleted))}, uint32(len(change.Value))))
		h.Write(change.Value)
	}
	return h.Sum(nil)
}

// ordered is the root of a trie of a list, in the state version given; the first
// form of the function knows one alone.
func ordered(version func(s []uint64) byte) func(*call, []uint64) {
	return func(c *call, s []uint64) {
		list, ok := items(c.span(s[0]))
		if !ok {
			c.stop(errors.New("it asked for the root of what is no list"))
		}
		s[0] = uint64(uint32(c.put(orderedRoot(list, version(s)))))
	}
}

// versionOf answers Option<Vec<u8>>: what other code says of itself, which is
// asked where a chain replaces its code.
func versionOf(c *call, s []uint64) {
	if c.nested {
		c.stop(errors.New("code asks about code that asks about code"))
	}
	r, err := Load(c.ctx, bytes.Clone(c.span(s[0])), func(r *Runtime) { r.nested = true })
	if is := new(CodeError); errors.As(err, &is) {
		s[0] = c.put([]byte{0})
		return
	}
	if err != nil {
		c.stop(fmt.Errorf("load the code that it asks about: %w", err))
	}
	defer func() { _ = r.Close() }()
	res, err := r.Call(c.ctx, empty{}, "Core_version", nil)
	if err != nil {
		s[0] = c.put([]byte{0})
		return
	}
	s[0] = c.option(res.Output, true)
}

// empty is a storage in which nothing lies.
type empty struct{}

func (empty) Get(context.Context, []byte) ([]byte, bool, error)  { return nil, false, nil }
func (empty) Next(context.Context, []byte) ([]byte, bool, error) { return nil, false, nil }
