#!/usr/bin/env node
// Proves that a chain started by start.mjs takes the calls of a wallet.
//   node selftest.mjs [ws://127.0.0.1:9944] [--only balances,signing]
// Checks that need a subnet and a registered hotkey live on those before them, so
// --only makes sense for: balances, wrappers, signing, fees, apis.
import { parseArgs } from 'node:util'
import { call, connect, method, send } from './client.mjs'

const CHECKS = ['balances', 'registration', 'stake', 'delegation', 'governance', 'wrappers', 'signing', 'fees', 'apis']

const { values, positionals } = parseArgs({ allowPositionals: true, options: { only: { type: 'string' } } })
const { api, keyring } = await connect(positionals[0] ?? 'ws://127.0.0.1:9944')

const NOISE =
  /^(system\.(ExtrinsicSuccess|NewAccount|KilledAccount)|transactionPayment|balances\.(Withdraw|Deposit|Issued|Rescinded|Endowed|Burned|Minted))/
const tally = { PASS: 0, FAIL: 0, SKIP: 0 }

/** Reports one result; pass is undefined for what this runtime does not have. */
function report(name, pass, note = '', events = []) {
  const mark = pass === undefined ? 'SKIP' : pass ? 'PASS' : 'FAIL'
  tally[mark]++
  console.log(`${mark}  ${name}${note && '  -- ' + note}`)
  for (const e of events.filter((e) => !NOISE.test(e))) console.log(`        ${e}`)
}

/**
 * Sends a call and reports. want: nothing for success, or the error or errors that
 * are right (undefined among them: success too); inner: the failure wanted inside.
 */
async function step(name, signer, tx, { want, inner, options } = {}) {
  if (!tx) return report(name, undefined, 'no such call in this runtime')
  const wanted = [want].flat()
  try {
    const r = await send(api, signer, tx, options)
    const innerRight = inner ? r.inner?.endsWith(inner) : r.inner === undefined
    const notes = [r.error && `error ${r.error}`, r.inner && `inner ${r.inner}`, !r.error && r.statuses.join(' ')]
    report(name, wanted.includes(r.error) && innerRight, notes.filter(Boolean).join('; '), r.events)
    return r
  } catch (e) {
    const pass = wanted.some((w) => w && String(e).includes(w))
    report(name, pass, `refused: ${e.message ?? e}`)
    return undefined
  }
}

const key = (uri) => keyring.addFromUri(uri)
const world = {
  api,
  key,
  keyring,
  alice: key('//Alice'),
  bob: key('//Bob'),
  charlie: key('//Charlie'),
  dave: key('//Dave'),
  eve: key('//Eve'),
  report,
  step,
  send: (signer, tx, options) => send(api, signer, tx, options),
  tx: (path, values) => call(api, path, values),
  method: (path) => method(api, path),
  rpc: (name, ...params) => api._rpcCore.provider.send(name, params),
  head: async () => {
    const header = await api.rpc.chain.getHeader()
    return { number: header.number.toNumber(), hash: header.hash.toHex() }
  },
  free: async (who) => (await api.query.system.account(who.address)).data.free.toBigInt(),
}
world.blocks = (count) => world.rpc('dev_newBlock', { count })

const { specName, specVersion } = api.runtimeVersion
console.log(`# ${specName} ${specVersion}, extensions ${api.registry.signedExtensions.join(' ')}`)
for (const name of values.only?.split(',') ?? CHECKS) {
  console.log(`# ${name}`)
  const { default: check } = await import(`./checks/${name}.mjs`)
  await check(world)
}
console.log(`# ${tally.PASS} passed, ${tally.FAIL} failed, ${tally.SKIP} not in this runtime`)
await api.disconnect()
process.exit(tally.FAIL ? 1 : 0)
