// Turns what there is (a raw chain spec, a plain one, or a bare runtime wasm)
// into the genesis storage of a chain.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import { u8aToHex } from '@polkadot/util'
import { ACCOUNTS } from './overrides.mjs'
import { CODE, buildGenesis } from './runtime.mjs'

const EXTRINSIC_INDEX = '0x3a65787472696e7369635f696e646578' // ":extrinsic_index"
const PROPERTIES = { ss58Format: 42, tokenDecimals: 9, tokenSymbol: 'TAO' }

// A bare wasm has no genesis of its own: Alice is the block author, who never has
// to sign here, and the sudo key.
const BARE = {
  aura: { authorities: [ACCOUNTS.Alice] },
  grandpa: { authorities: [['5FA9nQDVg267DEd8m1ZypXLBnvN7SFxYwV7ndqSYGiN9TTpu', 1]] },
  sudo: { key: ACCOUNTS.Alice },
}

/** Reads a file into { kind: 'raw'|'plain'|'wasm', name, id, properties, top }; top is { hex key: hex value }. */
export async function loadSpec(path) {
  const file = readFileSync(path)
  const isJSON = file[0] === '{'.charCodeAt(0)
  const spec = isJSON ? await fromJSON(JSON.parse(file.toString('utf8'))) : await fromWasm(file, basename(path))
  if (!spec.top?.[CODE]) throw new Error(`${path}: no runtime code in this chain spec`)
  spec.top[EXTRINSIC_INDEX] ??= '0x00000000'
  return spec
}

async function fromWasm(file, id) {
  const top = await buildGenesis(u8aToHex(file), { patch: BARE })
  return { kind: 'wasm', name: 'Bittensor', id, properties: PROPERTIES, top }
}

async function fromJSON({ name, id, properties = PROPERTIES, genesis }) {
  const common = { name, id, properties }
  if (genesis?.raw) return { kind: 'raw', ...common, top: genesis.raw.top }
  const plain = genesis?.runtimeGenesis
  return { kind: 'plain', ...common, top: plain && (await buildGenesis(plain.code, plain)) }
}
