"""Makes and opens keyfiles with the official wallets.

    official.py make FOLDER < {"phrase": .., "password": ..}    writes files, prints what they are
    official.py open        < [{"tool": .., "file": .., "password": ..}, ..]    opens files, prints what is in them

Both print JSON. "tool" is wallet (bittensor-wallet) or core (bittensor-core).
"""

import json
import os
import sys

import bittensor_core as core
import bittensor_wallet as wallet

MESSAGE = b"message"


def write(folder, name, data):
    path = os.path.join(folder, name)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as f:
        f.write(data)
    return path


def make_wallet(folder, phrase, password):
    keys = {
        "mnemonic": wallet.Keypair.create_from_mnemonic(phrase),
        "uri": wallet.Keypair.create_from_uri(phrase + "//hard/soft"),
        "seed": wallet.Keypair.create_from_seed("0x" + "a1" * 32),
        "seed that is text": wallet.Keypair.create_from_seed("0x" + "61" * 32),
    }
    for kind, key in keys.items():
        # Each encryption takes seconds, so one key stands for the others.
        for encrypt in (True, False) if kind == "mnemonic" else (False,):
            path = os.path.join(folder, "wallet %s %s" % (kind, "encrypted" if encrypt else "plain"))
            wallet.Keyfile(path).set_keypair(key, encrypt, True, password if encrypt else None)
            yield path, password if encrypt else "", key.ss58_address, "sr25519", key


def make_core(folder, phrase, password):
    for scheme, crypto in (("sr25519", core.CRYPTO_SR25519), ("ed25519", core.CRYPTO_ED25519)):
        for kind, key in (
            ("mnemonic", core.Keypair.create_from_mnemonic(phrase, crypto)),
            ("uri", core.Keypair.create_from_uri(phrase + "//hard", crypto)),
            ("seed", core.Keypair.create_from_seed(b"\xa1" * 32, crypto)),
        ):
            plain = bytes(core.serialized_keypair_to_keyfile_data(key))
            name = "core %s %s" % (kind, scheme)
            yield write(folder, name + " plain", plain), "", key.ss58_address, scheme, key
            if kind == "mnemonic":
                sealed = bytes(core.encrypt_keyfile_data(plain, password))
                yield write(folder, name + " encrypted", sealed), password, key.ss58_address, scheme, key


def make(folder, given):
    for tool in (make_wallet, make_core):
        for path, password, address, scheme, key in tool(folder, given["phrase"], given["password"]):
            yield {
                "file": path,
                "password": password,
                "address": address,
                "scheme": scheme,
                "signature": bytes(key.sign(MESSAGE)).hex(),
                "variable": wallet.Keyfile(path).env_var_name(),
            }


def open_wallet(row):
    if row.get("json"):
        with open(row["file"]) as f:
            return wallet.Keypair.create_from_encrypted_json(f.read(), row["password"])
    return wallet.Keyfile(row["file"]).get_keypair(row["password"] or None)


def open_core(row):
    with open(row["file"], "rb") as f:
        data = f.read()
    if row.get("json"):
        return core.Keypair.create_from_encrypted_json(data.decode(), row["password"])
    if row["password"]:
        data = bytes(core.decrypt_keyfile_data(data, row["password"]))
    return core.deserialize_keypair_from_keyfile_data(data)


def open_all(rows):
    for row in rows:
        try:
            key = {"wallet": open_wallet, "core": open_core}[row["tool"]](row)
            result = {"address": key.ss58_address}
            if not row.get("public"):
                result["signature"] = bytes(key.sign(MESSAGE)).hex()
        except BaseException as err:  # a panic of their Rust code is no Exception
            result = {"error": repr(err)}
        yield result


if __name__ == "__main__":
    given = json.load(sys.stdin)
    found = make(sys.argv[2], given) if sys.argv[1] == "make" else open_all(given)
    # Their code prints to standard output, so the result goes on a line of its own.
    print("\n" + json.dumps(list(found)))
