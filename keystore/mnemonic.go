package keystore

import (
	"bytes"
	"cmp"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode"

	"github.com/cosmos/go-bip39"
	"github.com/taoctl/taoctl/tao"
)

// Mnemonic is a BIP-39 phrase of English words whose checksum is right. Like a
// key it shows itself only through Reveal.
type Mnemonic struct {
	phrase sealed[[]byte] // lower case, single spaces
}

// NewMnemonic makes a phrase of 12, 15, 18, 21 or 24 words from the system's
// random numbers: 128 to 256 bits.
func NewMnemonic(words int) (*Mnemonic, error) {
	if !validLength(words) {
		return nil, fmt.Errorf("a mnemonic of %d words: %w", words, errLength)
	}
	entropy := make([]byte, words*4/3)
	defer wipe(entropy)
	rand.Read(entropy)
	return &Mnemonic{phrase: sealBytes(join(wordsOf(entropy)))}, nil
}

var errLength = errors.New("it has 12, 15, 18, 21 or 24 words")

func validLength(words int) bool { return words >= 12 && words <= 24 && words%3 == 0 }

// MnemonicError says why a text is no mnemonic. It names positions, never
// words: an error may end in a log. [Corrections] finds the words.
type MnemonicError struct {
	Reason string
	At     []int // positions of unknown words, from 1
}

func (e *MnemonicError) Error() string {
	if len(e.At) == 0 {
		return "mnemonic: " + e.Reason
	}
	return fmt.Sprintf("mnemonic: %s: %v", e.Reason, e.At)
}

// ParseMnemonic reads a phrase as people write it down: any case, any white
// space or commas between words, and numbered words ("1-abandon 2-ability",
// "1. abandon") in any order. Errors are *MnemonicError. The caller wipes text.
func ParseMnemonic(text []byte) (*Mnemonic, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, err
	}
	indexes, err := lookUp(words)
	if err != nil {
		return nil, err
	}
	if !checksumFits(indexes) {
		return nil, &MnemonicError{Reason: "the checksum is wrong: a word is mistyped or two are in the wrong order"}
	}
	return &Mnemonic{phrase: sealBytes(join(indexes))}, nil
}

// Reveal lends the phrase: lower case, one space between words. The bytes are
// valid during the call only.
func (m *Mnemonic) Reveal(use func(phrase []byte) error) error { return m.phrase.borrow(use) }

// Wipe overwrites the phrase.
func (m *Mnemonic) Wipe() { m.phrase.clear() }

// String says what it is, without a word of it.
func (m *Mnemonic) String() string { return "mnemonic (hidden)" }

// splitWords cuts a text into lower-case words, in the order of their numbers
// if they are numbered. The words share no memory with text.
func splitWords(text []byte) ([][]byte, error) {
	fields := bytes.FieldsFunc(bytes.ToLower(text), func(r rune) bool { return unicode.IsSpace(r) || r == ',' })
	var words [][]byte
	var numbers []int
	pending := 0
	for _, f := range fields {
		n, word := cutNumber(f)
		if n == 0 {
			n = pending
		}
		if pending = 0; len(word) == 0 {
			pending = n
			continue
		}
		words = append(words, word)
		if n > 0 {
			numbers = append(numbers, n)
		}
	}
	switch {
	case !validLength(len(words)):
		return nil, &MnemonicError{Reason: fmt.Sprintf("there are %d words: %v", len(words), errLength)}
	case len(numbers) == 0:
		return words, nil
	case len(numbers) != len(words):
		return nil, &MnemonicError{Reason: "some words are numbered and some are not"}
	}
	return inOrder(words, numbers)
}

// cutNumber splits "12-word", "12.word", "12)" and "12" into number and word.
// The number is 0 if there is none.
func cutNumber(field []byte) (int, []byte) {
	digits := len(field) - len(bytes.TrimLeft(field, "0123456789"))
	n, err := strconv.Atoi(string(field[:digits]))
	if err != nil {
		return 0, field
	}
	return n, bytes.TrimLeft(field[digits:], "-.):")
}

func inOrder(words [][]byte, numbers []int) ([][]byte, error) {
	sorted := make([][]byte, len(words))
	for i, n := range numbers {
		if n > len(words) || sorted[n-1] != nil {
			return nil, &MnemonicError{Reason: fmt.Sprintf("the numbers do not run from 1 to %d, each once", len(words))}
		}
		sorted[n-1] = words[i]
	}
	return sorted, nil
}

// lookUp turns words into their places in the list, 0 to 2047.
func lookUp(words [][]byte) ([]int, error) {
	indexes := make([]int, len(words))
	var unknown []int
	for i, w := range words {
		at, ok := wordIndex(w)
		if !ok {
			unknown = append(unknown, i+1)
		}
		indexes[i] = at
	}
	if unknown != nil {
		return nil, &MnemonicError{Reason: "not in the list of English words, at positions", At: unknown}
	}
	return indexes, nil
}

// wordIndex searches the BIP-39 list, which is sorted.
func wordIndex(word []byte) (int, bool) {
	return slices.BinarySearchFunc(bip39.EnglishWordList, word, func(w string, t []byte) int {
		return cmp.Compare(w, string(t))
	})
}

// entropyOf packs 11 bits a word; the last bits are the checksum, one for each
// 32 bits of entropy (BIP-39).
func entropyOf(indexes []int) (entropy []byte, checksum byte) {
	bits := make([]byte, (len(indexes)*11+7)/8)
	for i, at := range indexes {
		for b := range 11 {
			if at>>(10-b)&1 == 1 {
				pos := i*11 + b
				bits[pos/8] |= 0x80 >> (pos % 8)
			}
		}
	}
	size := len(indexes) * 4 / 3
	return bits[:size:size], bits[size] >> (8 - len(indexes)/3)
}

func checksumOf(entropy []byte) byte {
	sum := sha256.Sum256(entropy)
	return sum[0] >> (8 - len(entropy)/4)
}

func checksumFits(indexes []int) bool {
	entropy, checksum := entropyOf(indexes)
	defer wipe(entropy)
	return checksumOf(entropy) == checksum
}

// wordsOf is the inverse of entropyOf.
func wordsOf(entropy []byte) []int {
	count := len(entropy) * 3 / 4
	bits := append(bytes.Clone(entropy), checksumOf(entropy)<<(8-len(entropy)/4))
	defer wipe(bits)
	indexes := make([]int, count)
	for pos := range count * 11 {
		bit := bits[pos/8] >> (7 - pos%8) & 1
		indexes[pos/11] = indexes[pos/11]<<1 | int(bit)
	}
	return indexes
}

func join(indexes []int) []byte {
	phrase := make([]byte, 0, 9*len(indexes)) // no word has more than 8 letters
	for i, at := range indexes {
		if i > 0 {
			phrase = append(phrase, ' ')
		}
		phrase = append(phrase, bip39.EnglishWordList[at]...)
	}
	return phrase
}

// miniSecret is Substrate's seed of a phrase: PBKDF2 over the *entropy*, not
// over the words as BIP-39 has it, 2048 rounds, the first 32 bytes (paritytech
// substrate-bip39, src/lib.rs). The passphrase goes in as given: Substrate does
// not normalise it.
func miniSecret(phrase, passphrase []byte) ([]byte, error) {
	indexes, err := lookUp(bytes.Split(phrase, []byte(" ")))
	if err != nil {
		return nil, err
	}
	entropy, _ := entropyOf(indexes)
	defer wipe(entropy)
	salt := append([]byte("mnemonic"), passphrase...)
	defer wipe(salt)
	seed, err := pbkdf2.Key(sha512.New, string(entropy), salt, 2048, 64)
	if err != nil {
		return nil, fmt.Errorf("deriving the seed of a mnemonic: %w", err)
	}
	wipe(seed[32:])
	return seed[:32:32], nil
}

// Correction is one way to mend a mnemonic that does not check: another word in
// one place, or two neighbours swapped. It holds a part of a secret and is for
// the eyes of its owner alone.
type Correction struct {
	Position int    // from 1; of a swap, the first of the two
	Word     string // the word that fits there, or "" for a swap
	Distance int    // keystrokes between what was typed and Word
}

// Corrections finds the words that make a phrase check, the likeliest first.
// One word may be unknown or wrong. A checksum of 4 bits (12 words) lets one
// word in 16 pass by chance, so only words within two keystrokes of what was
// typed count; where the account is known (its address stands in the wallet)
// want picks the one right answer out of all words, as an sr25519 key without
// derivation path, and finds a wrong word even in a phrase that checks. No
// correction is no error.
func Corrections(text []byte, want *tao.Account) ([]Correction, error) {
	words, err := splitWords(text)
	if err != nil {
		return nil, err
	}
	indexes, err := lookUp(words)
	var bad *MnemonicError
	switch {
	case errors.As(err, &bad) && len(bad.At) > 1:
		return nil, err
	case err != nil:
		return correctAt(words, lenientLookUp(words), bad.At, want)
	case checksumFits(indexes) && isKeyOf(indexes, want):
		return nil, nil
	}
	all := make([]int, len(words))
	for i := range all {
		all[i] = i + 1
	}
	found, err := correctAt(words, indexes, all, want)
	return append(swaps(indexes, want), found...), err
}

func lenientLookUp(words [][]byte) []int {
	indexes := make([]int, len(words))
	for i, w := range words {
		indexes[i], _ = wordIndex(w)
	}
	return indexes
}

// correctAt tries every word of the list at each of the positions.
func correctAt(words [][]byte, indexes []int, positions []int, want *tao.Account) ([]Correction, error) {
	var found []Correction
	for _, pos := range positions {
		try := slices.Clone(indexes)
		for at, word := range bip39.EnglishWordList {
			try[pos-1] = at
			d := distance(string(words[pos-1]), word)
			if d == 0 || want == nil && d > 2 || !checksumFits(try) || !isKeyOf(try, want) {
				continue
			}
			found = append(found, Correction{Position: pos, Word: word, Distance: d})
		}
	}
	slices.SortStableFunc(found, func(a, b Correction) int { return cmp.Compare(a.Distance, b.Distance) })
	return found, nil
}

func swaps(indexes []int, want *tao.Account) []Correction {
	var found []Correction
	for i := range len(indexes) - 1 {
		try := slices.Clone(indexes)
		try[i], try[i+1] = try[i+1], try[i]
		if checksumFits(try) && isKeyOf(try, want) {
			found = append(found, Correction{Position: i + 1})
		}
	}
	return found
}

func isKeyOf(indexes []int, want *tao.Account) bool {
	if want == nil {
		return true
	}
	m, err := fromPhrase(tao.Sr25519, join(indexes), nil)
	if err != nil {
		return false
	}
	defer m.wipe()
	return m.account == *want
}

// distance counts the keystrokes between two words: letters put in, left out,
// changed, or two neighbours swapped (Damerau and Levenshtein's distance, in
// the form that touches no letter twice).
func distance(a, b string) int {
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := 1
			if a[i-1] == b[j-1] {
				change = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+change)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
