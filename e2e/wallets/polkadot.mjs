// Makes and opens exports with Polkadot-JS.
//
//     node polkadot.mjs make < {"phrase": .., "password": ..}
//     node polkadot.mjs open < [{"json": .., "password": .., "message": "0x.."}, ..]
//
// Both print JSON.
import { readFileSync } from 'node:fs';
import { Keyring } from '@polkadot/keyring';
import { cryptoWaitReady } from '@polkadot/util-crypto';
import { u8aToHex, stringToU8a } from '@polkadot/util';

const message = stringToU8a('message');

function make({ phrase, password }) {
  const rows = [];
  for (const type of ['sr25519', 'ed25519', 'ecdsa']) {
    for (const path of ['', '//hard', ...(type === 'sr25519' ? ['//hard/soft'] : [])]) {
      for (const secret of [password, '']) {
        const pair = new Keyring({ type }).addFromUri(phrase + path, { name: 'theirs' });
        const json = pair.toJson(secret || undefined);
        rows.push({ json, password: secret, address: pair.address, scheme: type, signature: u8aToHex(pair.sign(message)).slice(2) });
      }
    }
  }
  return rows;
}

function open(rows) {
  return rows.map(({ json, password }) => {
    try {
      const pair = new Keyring().addFromJson(json);
      pair.decodePkcs8(password);
      return { address: pair.address, signature: u8aToHex(pair.sign(message)).slice(2) };
    } catch (err) {
      return { error: String(err) };
    }
  });
}

await cryptoWaitReady();
const given = JSON.parse(readFileSync(0, 'utf8'));
console.log('\n' + JSON.stringify(process.argv[2] === 'make' ? make(given) : open(given)));
