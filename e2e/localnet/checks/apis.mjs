// What a wallet reads through the runtime's own interfaces.
import { TAO } from '../client.mjs'

export default async function apis({ api, alice, bob, report }) {
  const calls = [
    ['accountNonceApi', 'accountNonce', alice.address],
    ['stakeInfoRuntimeApi', 'getStakeInfoForColdkey', alice.address],
    ['delegateInfoRuntimeApi', 'getDelegates'],
    ['delegateInfoRuntimeApi', 'getDelegated', bob.address],
    ['subnetInfoRuntimeApi', 'getSubnetHyperparams', 1],
    ['subnetInfoRuntimeApi', 'getAllDynamicInfo'],
    ['subnetInfoRuntimeApi', 'getDynamicInfo', 1],
    ['subnetInfoRuntimeApi', 'getMetagraph', 1],
    ['neuronInfoRuntimeApi', 'getNeuronsLite', 1],
    ['subnetRegistrationRuntimeApi', 'getNetworkRegistrationCost'],
    ['swapRuntimeApi', 'currentAlphaPrice', 1],
    ['swapRuntimeApi', 'simSwapTaoForAlpha', 1, 10n * TAO],
  ]
  for (const [trait, name, ...args] of calls) {
    const fn = api.call[trait]?.[name]
    if (!fn) {
      report(`${trait}.${name}`, undefined, 'not in this runtime')
      continue
    }
    try {
      report(`${trait}.${name}`, true, JSON.stringify(await fn(...args)).slice(0, 120))
    } catch (e) {
      report(`${trait}.${name}`, false, String(e.message ?? e).slice(0, 300))
    }
  }
}
