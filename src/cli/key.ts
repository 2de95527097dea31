import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DomainError, type Hex } from '#primitives'
import { UsageError } from './cli.ts'

/**
 * The first key of anvil's and hardhat's published test mnemonic. It is no secret: everybody knows
 * it, and only local chains fund it.
 */
const publishedKey: Hex = '0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80'

/** Chain id of a local anvil: nothing on it is worth anything. */
const localChainId = 31_337

/**
 * The key that signs for a client: from a file, or on a devnet the published one.
 *
 * @throws UsageError when no file is named and the network is no devnet.
 * @throws KeyFileError when the file cannot be used.
 */
export function loadKey(file: string | undefined, l1ChainId: number, cwd: string): Hex {
  if (file !== undefined) return readKey(resolve(cwd, file))
  if (l1ChainId === localChainId) return publishedKey
  throw new UsageError('--key-file is needed: only a devnet has a published key')
}

function readKey(path: string): Hex {
  const text = readPrivate(path).trim().toLowerCase()
  const hex = text.startsWith('0x') ? text : `0x${text}`
  if (/^0x[0-9a-f]{64}$/.test(hex) && !/^0x0+$/.test(hex)) return hex as Hex
  throw new KeyFileError(`${path} holds no key: 64 hexadecimal digits are expected`, { path })
}

/**
 * The text of a file that nobody else can read.
 *
 * @throws KeyFileError
 */
export function readPrivate(path: string): string {
  try {
    if (process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0)
      throw new KeyFileError(`others can read ${path}; run: chmod 600 ${path}`, { path })
    return readFileSync(path, 'utf8')
  } catch (cause) {
    if (cause instanceof KeyFileError) throw cause
    const reason = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new KeyFileError(`cannot read ${path} (${reason})`, { path }, cause)
  }
}

/** A key file that is missing, readable by others, or holds no key. */
export class KeyFileError extends DomainError<'BadKeyFile', { readonly path: string }> {
  override readonly code = 'BadKeyFile'
}
