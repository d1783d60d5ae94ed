// What the pool takes and refuses: eras, nonces, signatures, key types.
import { TAO } from '../client.mjs'

export default async function signing(w) {
  const { api, key, keyring, alice, dave, step, head, blocks, rpc } = w
  const transfer = () => api.tx.balances.transferKeepAlive(dave.address, TAO)
  if (!api.tx.balances.transferKeepAlive) return

  await step('immortal', alice, transfer(), { options: { era: 0 } })
  await step('mortal, period 8', alice, transfer(), { options: { era: 8 } })
  await step('with a tip', alice, transfer(), { options: { tip: 1000n } })
  for (const type of ['ed25519', 'ecdsa']) {
    const other = keyring.addFromUri('//Alice', {}, type)
    await step(`funding an ${type} account`, alice, api.tx.balances.transferKeepAlive(other.address, 10n * TAO))
    await step(`signed by ${type}`, other, transfer())
  }

  const nonce = async () => (await api.rpc.system.accountNextIndex(alice.address)).toNumber()
  const sign = async (options = {}, who = alice) => (await transfer().signAsync(who, { nonce: await nonce(), ...options })).toHex()

  await refused(w, 'bad signature', ['"badProof"', 'bad signature'], tampered(await sign()))
  await refused(w, 'nonce of the past', ['"stale"', 'outdated'], await sign({ nonce: 0 }))
  await refused(w, 'genesis of another chain', ['"badProof"', 'bad signature'], await sign({ genesisHash: '0x' + '12'.repeat(32) }))
  await refused(w, 'no money for the fee', ['"payment"', 'pay some fees'], await sign({ nonce: 0 }, key('//poor')))
  await refused(w, 'not an extrinsic', [''], '0x0102')

  await blocks(20)
  const birth = await rpc('chain_getBlockHash', 1)
  const bygone = { era: api.createType('ExtrinsicEra', { current: 1, period: 8 }), blockHash: birth }
  await refused(w, 'era long gone', ['"badProof"', 'bad signature', 'ancient birth'], await sign(bygone))

  const then = await head()
  const old = await sign({ era: api.createType('ExtrinsicEra', { current: then.number, period: 64 }), blockHash: then.hash })
  await blocks(10)
  await taken(w, 'mortal, signed ten blocks ago', old)
}

// Changes a byte inside the signature: length, version, address kind, address, signature kind.
function tampered(hex) {
  const at = 2 + 2 * (2 + 1 + 1 + 32 + 1 + 10)
  return hex.slice(0, at) + (hex.slice(at, at + 2) === '00' ? '01' : '00') + hex.slice(at + 2)
}

/** reasons: the words of Chopsticks and of a node. */
async function refused({ rpc, report }, name, reasons, hex) {
  try {
    report(`refused: ${name}`, false, await rpc('author_submitExtrinsic', hex))
  } catch (e) {
    report(`refused: ${name}`, reasons.some((r) => e.message.includes(r)), e.message)
  }
}

async function taken({ rpc, report, head }, name, hex) {
  const before = await head()
  await rpc('author_submitExtrinsic', hex)
  await rpc('dev_newBlock', {})
  report(`taken: ${name}`, (await head()).number > before.number)
}
