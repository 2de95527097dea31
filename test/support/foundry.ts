import { createRequire } from 'node:module'

/**
 * The platform's own binary of a tool of Foundry, from npm's package for it. npm's launcher would
 * leave it running when it is ended itself.
 *
 * @throws an error of Node's when it is not installed.
 */
export function foundryBinary(tool: 'anvil' | 'forge'): string {
  const { platform } = process
  const arch = process.arch === 'x64' ? 'amd64' : process.arch
  const launcher = createRequire(import.meta.url).resolve(`@foundry-rs/${tool}/package.json`)
  const file = platform === 'win32' ? `${tool}.exe` : tool
  return createRequire(launcher).resolve(`@foundry-rs/${tool}-${platform}-${arch}/bin/${file}`)
}
