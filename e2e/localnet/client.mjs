// A small client for the self-test: calls by name, signed, watched to the end, with
// what happened taken out of the events.
import { ApiPromise, Keyring, WsProvider } from '@polkadot/api'
import { cryptoWaitReady } from '@polkadot/util-crypto'

export const TAO = 1_000_000_000n // rao

export async function connect(url) {
  await cryptoWaitReady()
  const api = await ApiPromise.create({ provider: new WsProvider(url), noInitWarn: true, throwOnConnect: true })
  return { api, keyring: new Keyring({ type: 'sr25519', ss58Format: 42 }) }
}

const camel = (snake) => snake.replace(/_(.)/g, (_, letter) => letter.toUpperCase())

/** The call's constructor by its name in the runtime ("balances.transfer_all"), or undefined. */
export function method(api, path) {
  const [pallet, name] = path.split('.')
  return api.tx[pallet]?.[camel(name)]
}

/**
 * A call with its arguments by name, because runtimes differ in their number and
 * order; more values than the call has may be given. null when there is no such call.
 */
export function call(api, path, values = {}) {
  const fn = method(api, path)
  if (!fn) return null
  const args = fn.meta.args.map(({ name }) => {
    const key = camel(name.toString())
    if (!(key in values)) throw new Error(`${path}: no value for ${key}`)
    return values[key]
  })
  return fn(...args)
}

/** A dispatch error by name: "balances.InsufficientBalance", or as JSON outside modules. */
function explain(api, error) {
  if (!error.isModule) return error.toString()
  const { section, name } = api.registry.findMetaError(error.asModule)
  return `${section}.${name}`
}

/** The failure inside a wrapper that succeeded (sudo, proxy, multisig, batch), which only an event tells. */
function innerFailure(api, events) {
  for (const { event } of events) {
    const name = `${event.section}.${event.method}`
    for (const value of event.data) {
      if (value.isErr) return `${name}: ${explain(api, value.asErr)}`
      if (/^(BatchInterrupted|ItemFailed)$/.test(event.method) && value.isModule !== undefined) return `${name}: ${explain(api, value)}`
    }
  }
  return undefined
}

/** Signs, submits and watches until the block is final or the extrinsic is refused. */
export function send(api, signer, tx, options = {}) {
  const started = Date.now()
  const statuses = []
  return new Promise((resolve, reject) => {
    const onStatus = ({ status, events, dispatchError }) => {
      statuses.push(`${status.type.toLowerCase()}@${Date.now() - started}ms`)
      if (!(status.isFinalized || status.isInvalid || status.isDropped || status.isUsurped)) return
      const refused = status.isFinalized ? undefined : status.type
      const error = dispatchError ? explain(api, dispatchError) : refused
      resolve({
        error,
        inner: innerFailure(api, events),
        events: events.map(({ event }) => `${event.section}.${event.method}${JSON.stringify(event.data.toHuman())}`),
        statuses,
      })
    }
    tx.signAndSend(signer, options, onStatus).catch(reject)
  })
}
