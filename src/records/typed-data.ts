import { encodeAbiParameters } from 'viem'
import { concatBytes, fromHex, type Hex, keccak256, keccak256Hex, utf8 } from '#primitives'

/**
 * EIP-712 digest in NodeOP's domain. The domain is (name, version, salt), where salt is the network
 * id: it already binds L1 chain and contracts, because both are in the genesis that it hashes.
 *
 * @param fields - the struct's members in order, strings and bytes already hashed to `bytes32`.
 */
export function typedDataHash(
  network: Hex,
  type: string,
  fields: readonly { readonly type: string; readonly value: Hex | bigint | number }[],
): Hex {
  const struct = encodeAbiParameters(
    [{ type: 'bytes32' }, ...fields.map(({ type: name }) => ({ type: name }))],
    [keccak256Hex(utf8(type)), ...fields.map(({ value }) => value)] as never,
  )
  return keccak256Hex(
    concatBytes(utf8('\x19\x01'), domainSeparator(network), keccak256(fromHex(struct))),
  )
}

/** The EIP-712 domain that viem and wallets take, for typed data of this network. */
export const typedDataDomain = (network: Hex) => ({ name: 'NodeOP', version: '1', salt: network })

const domainSeparator = (network: Hex): Uint8Array =>
  keccak256(
    fromHex(
      encodeAbiParameters(
        [{ type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }, { type: 'bytes32' }],
        [
          keccak256Hex(utf8('EIP712Domain(string name,string version,bytes32 salt)')),
          keccak256Hex(utf8('NodeOP')),
          keccak256Hex(utf8('1')),
          network,
        ],
      ),
    ),
  )
