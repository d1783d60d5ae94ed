// The proof of work of a registration, as slow as it is short.
//   seal = keccak256(sha256(nonce as 8 bytes little endian ++ keccak256(block hash ++ hotkey)))
// and seal * difficulty must stay below 2^256, where the seal is read as a big-endian
// number by runtimes up to 277 and as a little-endian one from 283 on.
import { hexToU8a, u8aConcat, u8aToBigInt, u8aToHex } from '@polkadot/util'
import { keccakAsU8a, sha256AsU8a } from '@polkadot/util-crypto'

const LIMIT = 1n << 256n

function seal(nonce, blockAndKey) {
  const input = new Uint8Array(8 + 32)
  new DataView(input.buffer).setBigUint64(0, nonce, true)
  input.set(blockAndKey, 8)
  return keccakAsU8a(sha256AsU8a(input))
}

/** A solution that is good when the seal is read one way ('big' or 'little'), and bad the other way. */
export function solve(blockHash, hotkey, difficulty, endian) {
  const prefix = keccakAsU8a(u8aConcat(hexToU8a(blockHash), hotkey))
  const good = (s, isLe) => u8aToBigInt(s, { isLe }) * difficulty < LIMIT
  for (let nonce = 0n; ; nonce++) {
    const s = seal(nonce, prefix)
    const little = endian === 'little'
    if (good(s, little) && !good(s, !little)) return { nonce, work: u8aToHex(s) }
  }
}
