// Asks a runtime (a WebAssembly blob, not yet a chain) for what it knows about
// itself: its metadata, its slot length, its genesis.
import { getAuraSlotDuration, runTask } from '@acala-network/chopsticks'
import { Metadata, TypeRegistry, expandMetadata } from '@polkadot/types'
import { compactFromU8a, compactToU8a, hexToU8a, u8aConcat, u8aToHex, u8aToString } from '@polkadot/util'

/** The storage key of the runtime's code, ":code". */
export const CODE = '0x3a636f6465'

// The state of a chain before its genesis: the code and nothing else.
const emptyState = (wasm) => ({
  getStorage: async (key) => (key === CODE ? wasm : undefined),
  getNextKey: async () => undefined,
  offchainGetStorage: async () => undefined,
  offchainTimestamp: async () => Date.now(),
  offchainRandomSeed: async () => '0x' + '00'.repeat(32),
  offchainSubmitTransaction: async () => false,
})

/** Runs one exported function of the runtime; result and storageDiff are hex. */
async function call(wasm, fn, args) {
  const task = { wasm, calls: [[fn, args]], mockSignatureHost: false, allowUnresolvedImports: true, runtimeLogLevel: 0 }
  const { Call, Error: failure } = await runTask(task, emptyState(wasm))
  if (failure) throw new Error(`${fn}: ${failure}`)
  return Call
}

/** Metadata as polkadot.js wants it: { registry, query, consts }. */
export async function loadMetadata(wasm) {
  const bytes = hexToU8a((await call(wasm, 'Metadata_metadata', [])).result)
  const [offset] = compactFromU8a(bytes)
  const registry = new TypeRegistry()
  const metadata = new Metadata(registry, u8aToHex(bytes.subarray(offset)))
  registry.setMetadata(metadata)
  const { query, consts } = expandMetadata(registry, metadata)
  return { registry, query, consts }
}

/**
 * Tells Chopsticks the length of a slot in milliseconds, and returns it.
 * Chopsticks asks the runtime too, but refuses imports that it cannot resolve,
 * which runtimes 103 and 293 have, and then believes in 12 s. On 293 (1 s) the
 * first block would panic with "Timestamp slot must match CurrentSlot". Its answer
 * is memoized by code, so the right one is put there first.
 */
export async function teachSlotDuration(wasm) {
  const { result } = await call(wasm, 'AuraApi_slot_duration', [])
  const ms = Number(new DataView(hexToU8a(result).buffer).getBigUint64(0, true))
  getAuraSlotDuration.cache.set(wasm, Promise.resolve(ms))
  return ms
}

/** The genesis storage that the runtime builds from a JSON config, or from its own preset with a patch. */
export async function buildGenesis(wasm, { patch, config } = {}) {
  const json = config ?? mergePatch(await defaultPreset(wasm), patch ?? {})
  const out = await call(wasm, 'GenesisBuilder_build_state', [scaleText(JSON.stringify(json))])
  const outcome = hexToU8a(out.result)
  if (outcome[0] !== 0) throw new Error('GenesisBuilder_build_state: ' + u8aToString(outcome.subarray(2)))
  return { ...Object.fromEntries(out.storageDiff.filter(([, value]) => value !== null)), [CODE]: wasm }
}

async function defaultPreset(wasm) {
  const preset = hexToU8a((await call(wasm, 'GenesisBuilder_get_preset', ['0x00'])).result) // None: the default one
  if (preset[0] !== 1) throw new Error('the runtime has no default genesis preset')
  const [offset] = compactFromU8a(preset.subarray(1))
  return JSON.parse(u8aToString(preset.subarray(1 + offset)))
}

/** RFC 7396, which is how a node applies the "patch" of a plain chain spec. */
function mergePatch(base, patch) {
  if (!isObject(patch)) return patch
  const out = isObject(base) ? { ...base } : {}
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete out[key]
    else out[key] = mergePatch(out[key], value)
  }
  return out
}

const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v)

function scaleText(text) {
  const bytes = new TextEncoder().encode(text)
  return u8aToHex(u8aConcat(compactToU8a(bytes.length), bytes))
}
