// What a test chain needs on top of its genesis: a clock, rich development
// accounts, and subnet 1 open and cheap to join. Entries that a runtime does not
// have are left out, so one table serves every runtime.
import { StorageKey } from '@polkadot/types'
import { hexToU8a, u8aCmp, u8aToHex } from '@polkadot/util'

const TAO = 1_000_000_000n // rao

export const ACCOUNTS = {
  Alice: '5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY',
  Bob: '5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty',
  Charlie: '5FLSigC9HGRKVhB9FiEo4Y3koPsNmBmLJbpXg2mp1hXcS59Y',
  Dave: '5DAAnrj7VHTznn2AWBemMuyBwZWs6FNFjdyVXUeYum3PTXFy',
  Eve: '5HGjWAeFDfFCWPsjFQdVV2Msvz2XtMktvgocEZcCj68kUMaw',
  Ferdie: '5CiPPseXPECbkjWCa6MnjNokrgYjMqmKndv2rSnekmSK2DjL',
}

const NETUID = 1
const FREE = 1_000_000n * TAO // of each development account
const BURN = TAO // the price of burned_register
const POOL = 10_000n * TAO // each of the subnet's two reserves: an alpha price of 1
const DIFFICULTY = 1_000_000n // of PoW registration: about that many hashes

/** The clock of the genesis, on a slot boundary. ms counts from 1970. */
export function clock(metadata, slotMs, ms) {
  const { written, set } = storage(metadata, {})
  set('timestamp', 'now', [], Math.floor(ms / slotMs) * slotMs)
  return written
}

/** The development overrides over a genesis, as { hex key: hex value }. */
export function devOverrides(metadata, top, { difficulty = DIFFICULTY } = {}) {
  const s = storage(metadata, top)
  fund(s)
  seat(s, metadata.registry)
  openSubnet(s, difficulty)
  liftRateLimits(s)
  return s.written
}

/**
 * Typed reading and writing over a genesis. Values are always written as SCALE:
 * Chopsticks takes a plain zero for "delete", and the runtime's default comes back.
 */
function storage({ registry, query }, top) {
  const written = {}
  const locate = (pallet, item, keys) => {
    const entry = query[pallet]?.[item]
    return entry && { entry, key: new StorageKey(registry, entry.meta.type.isPlain ? [entry] : [entry, keys]) }
  }
  return {
    written,
    set(pallet, item, keys, value) {
      const at = locate(pallet, item, keys)
      if (at) written[at.key.toHex()] = u8aToHex(registry.createType(at.key.outputType, value).toU8a())
    },
    get(pallet, item, keys) {
      const at = locate(pallet, item, keys)
      return at && registry.createType(at.key.outputType, hexToU8a(top[at.key.toHex()] ?? at.entry.meta.fallback.toHex()))
    },
  }
}

// Both sums of all money must follow, or large transfers fail with
// Arithmetic(Underflow). The top bit of flags marks an account of today's layout;
// without it the first touch emits Balances.Upgraded. A runtime whose AccountData
// lacks a field drops it.
function fund({ get, set }) {
  let issued = get('balances', 'totalIssuance').toBigInt()
  for (const account of Object.values(ACCOUNTS)) {
    issued += FREE - get('system', 'account', [account]).data.free.toBigInt()
    set('system', 'account', [account], { providers: 1, data: { free: FREE, flags: 1n << 127n } })
  }
  set('balances', 'totalIssuance', [], issued)
  set('subtensorModule', 'totalIssuance', [], issued)
}

// Alice is sudo; Alice, Bob and Charlie govern. A coldkey votes through a hotkey
// that it owns: here each is its own. Member lists are sorted by public key.
function seat({ set }, registry) {
  const { Alice, Bob, Charlie } = ACCOUNTS
  const members = [Alice, Bob, Charlie]
    .map((a) => registry.createType('AccountId', a))
    .sort((a, b) => u8aCmp(a.toU8a(), b.toU8a()))
    .map(String)
  set('sudo', 'key', [], Alice)
  for (const pallet of ['triumvirate', 'triumvirateMembers', 'senateMembers']) set(pallet, 'members', [], members)
  for (const account of members) {
    set('subtensorModule', 'owner', [account], account)
    set('subtensorModule', 'ownedHotkeys', [account], [account])
  }
}

function openSubnet({ get, set }, difficulty) {
  const global = (item, value) => set('subtensorModule', item, [], value)
  const subnet = (item, value, netuid = NETUID) => set('subtensorModule', item, [netuid], value)
  if (!get('subtensorModule', 'networksAdded', [NETUID]).isTrue) {
    subnet('networksAdded', true)
    global('totalNetworks', get('subtensorModule', 'totalNetworks').toNumber() + 1)
    subnet('maxAllowedUids', 256)
  }
  subnet('networkRegistrationAllowed', true)
  subnet('networkPowRegistrationAllowed', true)
  // Least = most holds a value where it is; the runtime would adjust it.
  for (const item of ['difficulty', 'minDifficulty', 'maxDifficulty']) subnet(item, difficulty)
  for (const item of ['burn', 'minBurn', 'maxBurn']) subnet(item, BURN)
  for (const netuid of [0, NETUID]) {
    subnet('maxRegistrationsPerBlock', 100, netuid)
    subnet('targetRegistrationsPerInterval', 100, netuid)
    subnet('subtokenEnabled', true, netuid) // else no stake before its owner's start_call
  }
  subnet('firstEmissionBlockNumber', 1)
  subnet('subnetTAO', POOL)
  subnet('subnetAlphaIn', POOL)
}

// Limits that a test would have to wait hours or days for.
function liftRateLimits({ set }) {
  for (const item of ['txRateLimit', 'txDelegateTakeRateLimit', 'txChildkeyTakeRateLimit', 'networkRateLimit']) {
    set('subtensorModule', item, [], 0)
  }
  set('subtensorModule', 'targetStakesPerInterval', [], 1000) // runtimes of 2024: stake calls of a hotkey in an interval
}
