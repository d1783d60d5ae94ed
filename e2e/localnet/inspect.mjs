#!/usr/bin/env node
// A second opinion, by polkadot.js: what is in an extrinsic, is its signature good
// for this chain, what does an account hold. Prints one JSON object.
//   node inspect.mjs metadata URL FILE        writes the chain's metadata, raw SCALE
//   node inspect.mjs balance URL ADDRESS      {"free","nonce"}, free in TAO
//   node inspect.mjs address URI              {"address"} of an sr25519 secret URI
//   node inspect.mjs extrinsic 0xHEX --metadata FILE --genesis 0x.. --spec-version N --tx-version N [--birth 0xHASH]
// extrinsic works without a chain. --birth is the hash of the block a mortal era
// begins with; without it the genesis hash, as for an immortal one.
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api'
import { Metadata, TypeRegistry } from '@polkadot/types'
import { u8aToHex } from '@polkadot/util'
import { cryptoWaitReady, signatureVerify } from '@polkadot/util-crypto'

// polkadot.js warns about extensions it does not know; those
// of this chain encode to nothing.
console.warn = () => {}

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    metadata: { type: 'string' },
    genesis: { type: 'string' },
    birth: { type: 'string' },
    'spec-version': { type: 'string' },
    'tx-version': { type: 'string' },
  },
})

const commands = { metadata, balance, address, extrinsic }
const [name, ...args] = positionals
try {
  if (!Object.hasOwn(commands, name)) throw new Error(`want one of ${Object.keys(commands).join(', ')}`)
  process.stdout.write(JSON.stringify(await commands[name](...args)) + '\n')
  process.exit(0)
} catch (e) {
  process.stderr.write(`inspect: ${e.message}\n`)
  process.exit(1)
}

async function connect(url) {
  return ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true, throwOnConnect: true })
}

async function metadata(url, file) {
  const api = await connect(url)
  const bytes = (await api.rpc.state.getMetadata()).toU8a()
  writeFileSync(file, bytes)
  return { bytes: bytes.length, version: api.runtimeMetadata.version }
}

async function balance(url, address) {
  const api = await connect(url)
  const { nonce, data } = await api.query.system.account(address)
  return { free: decimal(data.free.toBigInt()), nonce: nonce.toNumber() }
}

/** Rao as TAO, exactly. */
function decimal(rao) {
  const digits = rao.toString().padStart(10, '0')
  return `${digits.slice(0, -9)}.${digits.slice(-9)}`.replace(/\.?0+$/, '')
}

async function address(uri) {
  await cryptoWaitReady()
  return { address: new Keyring({ type: 'sr25519', ss58Format: 42 }).addFromUri(uri).address }
}

async function extrinsic(hex) {
  await cryptoWaitReady()
  const registry = offlineRegistry(readFileSync(options.metadata))
  const x = registry.createType('Extrinsic', hex)
  const message = signedMessage(registry, x)
  const { section, method, args, meta } = x.method
  return {
    hash: x.hash.toHex(),
    signer: x.signer.toString(),
    nonce: x.nonce.toNumber(),
    tip: x.tip.toString(),
    era: x.era.toHex(),
    call: x.method.toHex(),
    name: `${section}.${method}`,
    args: Object.fromEntries(args.map((a, i) => [meta.args[i].name.toString(), a.toJSON()])),
    signedMessage: u8aToHex(message),
    signatureValid: signatureVerify(message, x.signature.toU8a(), x.signer.toString()).isValid,
  }
}

function offlineRegistry(blob) {
  const registry = new TypeRegistry()
  registry.setMetadata(new Metadata(registry, u8aToHex(blob)))
  return registry
}

/** What the signer has signed: the payload, or its hash when it is longer than 256 bytes. */
function signedMessage(registry, x) {
  const payload = registry.createType(
    'ExtrinsicPayload',
    {
      method: x.method.toHex(),
      era: x.era,
      nonce: x.nonce,
      tip: x.tip,
      specVersion: Number(options['spec-version']),
      transactionVersion: Number(options['tx-version']),
      genesisHash: options.genesis,
      blockHash: options.birth ?? options.genesis,
      mode: 0, // CheckMetadataHash: off
      metadataHash: null,
    },
    { version: x.version & 0x7f },
  )
  const bytes = payload.toU8a({ method: true })
  return bytes.length > 256 ? registry.hash(bytes) : bytes
}
