import { readFileSync } from 'node:fs'

/**
 * The software's version: that of the package. Its manifest lies as far above the built code as
 * above the sources.
 */
export const version: string = readVersion(new URL('../../package.json', import.meta.url))

function readVersion(manifest: URL): string {
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { readonly version: string }
  return version
}
