import { concatBytes, type Hex, keccak256, keccak256Hex, utf8 } from '#primitives'
import { type AbiValue, abiWords } from './abi.ts'

/**
 * EIP-712 digest in NodeOP's domain. The domain is (name, version, salt), where salt is the network
 * id: it already binds L1 chain and contracts, because both are in the genesis that it hashes.
 *
 * @param fields - the struct's members in order, strings and bytes already hashed to `bytes32`.
 */
export const typedDataHash = (network: Hex, type: string, fields: readonly AbiValue[]): Hex =>
  keccak256Hex(
    concatBytes(
      utf8('\x19\x01'),
      domainSeparator(network),
      keccak256(abiWords(keccak256Hex(utf8(type)), ...fields)),
    ),
  )

/** The EIP-712 domain that viem and wallets take, for typed data of this network. */
export const typedDataDomain = (network: Hex) => ({ name: 'NodeOP', version: '1', salt: network })

const domainSeparator = (network: Hex): Uint8Array =>
  keccak256(
    abiWords(
      keccak256Hex(utf8('EIP712Domain(string name,string version,bytes32 salt)')),
      keccak256Hex(utf8('NodeOP')),
      keccak256Hex(utf8('1')),
      network,
    ),
  )
