#!/usr/bin/env node
// Starts a local Bittensor chain: the real runtime of a chain spec, run by Chopsticks.
//   node start.mjs --spec /path/to/spec.json [--port 9944]
// One JSON line on stdout when the chain answers; everything else goes to stderr.
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { parseArgs } from 'node:util'

const OPTIONS = {
  spec: { type: 'string' }, // raw or plain chain spec, or a runtime wasm
  port: { type: 'string', default: '9944' }, // 0: a free one
  host: { type: 'string', default: '127.0.0.1' },
  mode: { type: 'string', default: 'instant' }, // instant | batch | manual
  'block-time': { type: 'string' }, // ms: also build a block this often
  overrides: { type: 'string', default: 'dev' }, // dev | none
  difficulty: { type: 'string' }, // of PoW registration on subnet 1
  storage: { type: 'string', multiple: true, default: [] }, // JSON files {"0xkey": "0xvalue"}
  timestamp: { type: 'string' }, // clock of the genesis, ms since 1970; default: now
  'runtime-log': { type: 'string', default: '0' }, // 0..5
  'until-stdin-closes': { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
}

class UsageError extends Error {}

const started = Date.now()

// Chopsticks logs to stdout, which is kept for the ready line.
const stdout = process.stdout.write.bind(process.stdout)
process.stdout.write = process.stderr.write.bind(process.stderr)

main().catch((e) => {
  process.stderr.write(`localnet: ${process.argv.includes('--verbose') ? e.stack : e.message}\n`)
  process.exit(e instanceof UsageError ? 2 : 1)
})

async function main() {
  const options = readOptions()
  if (options.help) {
    stdout(readFileSync(new URL('./README.md', import.meta.url), 'utf8'))
    return
  }
  process.env.LOG_LEVEL ??= options.verbose ? 'info' : 'error' // read by Chopsticks when it is imported
  const { server, facts } = await start({ ...options, port: await reservePort(options.host, options.port) })
  const stop = stopper(server)
  if (options.untilStdinCloses) process.stdin.on('end', () => stop()).resume()
  if (options.blockTime) buildBlocks(server.chain, options.blockTime, stop)
  stdout(JSON.stringify({ ready: true, ...facts, startupMs: Date.now() - started }) + '\n')
}

function readOptions() {
  let values
  try {
    values = parseArgs({ options: OPTIONS }).values
  } catch (e) {
    throw new UsageError(e.message)
  }
  if (!values.spec && !values.help) throw new UsageError('--spec FILE is needed: a chain spec or a runtime wasm (--help tells the rest)')
  return {
    help: values.help,
    spec: values.spec,
    host: values.host,
    port: number(values, 'port', 0, 65535),
    mode: oneOf(values, 'mode', ['instant', 'batch', 'manual']),
    blockTime: number(values, 'block-time', 1, 86_400_000),
    overrides: oneOf(values, 'overrides', ['dev', 'none']),
    difficulty: number(values, 'difficulty', 1, Number.MAX_SAFE_INTEGER),
    storage: values.storage,
    timestamp: number(values, 'timestamp', 0, Number.MAX_SAFE_INTEGER) ?? Date.now(),
    runtimeLog: number(values, 'runtime-log', 0, 5),
    untilStdinCloses: values['until-stdin-closes'],
    verbose: values.verbose,
  }
}

function number(values, name, min, max) {
  const text = values[name]
  if (text === undefined) return undefined
  const n = Number(text)
  if (!/^\d+$/.test(text) || n < min || n > max) throw new UsageError(`--${name} ${text}: want a number from ${min} to ${max}`)
  return n
}

function oneOf(values, name, choices) {
  if (!choices.includes(values[name])) throw new UsageError(`--${name} ${values[name]}: want ${choices.join(', ')}`)
  return values[name]
}

// Chopsticks moves to the next port without a word when one is taken; here that is
// an error. 0 is any free port.
function reservePort(host, port) {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', (e) => reject(new Error(`port ${port} of ${host}: ${e.code}`)))
    probe.listen(port, host, () => {
      const { port: got } = probe.address()
      probe.close(() => resolve(got))
    })
  })
}

async function start(options) {
  const { BuildBlockMode, getRuntimeVersion, setupWithServer } = await import('@acala-network/chopsticks')
  const { loadSpec } = await import('./chainspec.mjs')
  const { CODE, loadMetadata, teachSlotDuration } = await import('./runtime.mjs')
  const { ACCOUNTS } = await import('./overrides.mjs')

  const spec = await loadSpec(options.spec)
  const code = spec.top[CODE]
  const slotMs = await teachSlotDuration(code)
  const top = await genesis(spec.top, await loadMetadata(code), slotMs, options)

  const server = await setupWithServer({
    genesis: { id: spec.id, name: spec.name, properties: spec.properties, genesis: { raw: { top } } },
    port: options.port,
    host: options.host,
    'build-block-mode': { instant: BuildBlockMode.Instant, batch: BuildBlockMode.Batch, manual: BuildBlockMode.Manual }[options.mode],
    'allow-unresolved-imports': true, // host functions of benchmarking and bls12_381, never called
    'runtime-log-level': options.runtimeLog,
    'max-memory-block-count': 100_000, // a block that was let go cannot be asked for again
  })
  if (!server.addr.endsWith(`:${options.port}`)) throw new Error(`port ${options.port}: taken meanwhile`)
  if (server.chain.head.number !== 1) throw new Error('this runtime does not build blocks; see the errors above')

  const version = await getRuntimeVersion(code)
  const facts = {
    url: `ws://${options.host}:${options.port}`,
    pid: process.pid,
    spec: spec.kind,
    specName: version.specName,
    specVersion: version.specVersion,
    transactionVersion: version.transactionVersion,
    genesisHash: (await server.chain.getBlockAt(0)).hash,
    slotMs,
    accounts: ACCOUNTS,
  }
  return { server, facts }
}

// The storage of block 0: the spec's own, a clock, the overrides, the files given.
async function genesis(top, metadata, slotMs, options) {
  const { clock, devOverrides } = await import('./overrides.mjs')
  // Without a clock Chopsticks reads the time of day twice for block 1, for its slot
  // and for its timestamp; with a slot boundary between them the runtime panics.
  const layers = [top, clock(metadata, slotMs, options.timestamp)]
  if (options.overrides === 'dev') {
    layers.push(devOverrides(metadata, top, options.difficulty ? { difficulty: BigInt(options.difficulty) } : {}))
  }
  for (const file of options.storage) layers.push(JSON.parse(readFileSync(file, 'utf8')))
  return sorted(Object.assign({}, ...layers))
}

// Chopsticks pages through genesis keys in the order which they have in the object.
const sorted = (top) => Object.fromEntries(Object.entries(top).sort(([a], [b]) => (a < b ? -1 : 1)))

// A stop closes the line and ends the process with the signal itself, as a signal's
// default does. process.exit is no way out: it waits for the thread that runs the
// runtime, which after many blocks never ends (Node.js 20, Chopsticks 1.5.1).
function stopper(server) {
  let stopping = false
  const stop = async (signal = 'SIGTERM') => {
    if (stopping) return
    stopping = true
    const late = new Promise((resolve) => setTimeout(resolve, 2000))
    await Promise.race([server.close().catch(() => {}), late])
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  return stop
}

function buildBlocks(chain, every, stop) {
  const tick = async () => {
    const begun = Date.now()
    try {
      await chain.newBlock()
    } catch (e) {
      process.stderr.write(`localnet: building a block: ${e.message}\n`)
      return stop()
    }
    setTimeout(tick, Math.max(1, every - (Date.now() - begun)))
  }
  setTimeout(tick, every)
}
