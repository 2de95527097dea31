import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { PortInUseError } from '#node'

/**
 * A port of the host, 127.0.0.1 when absent, that nobody listens on; 0 asks for any. It stays free
 * until its user listens unless somebody asks for it by number: systems give no port of this range
 * to connections (Linux gives 32768 and up, others 49152 and up).
 *
 * @throws PortInUseError
 */
export async function freePort(wanted: number, host = '127.0.0.1'): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = wanted === 0 ? randomInt(firstPort, endPort) : wanted
    try {
      return await tryPort(port, host)
    } catch (cause) {
      if (wanted !== 0 || attempt === maxAttempts) throw portInUse(port, host, cause)
    }
  }
}

/** So many of them, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports = new Set<number>()
  while (ports.size < count) ports.add(await freePort(0))
  return [...ports]
}

/** The error of a port that is taken. */
export const portInUse = (port: number, host: string, cause?: unknown): PortInUseError =>
  new PortInUseError(
    `port ${port} is in use; name another, or 0 for a free one`,
    { host, port },
    cause,
  )

const firstPort = 16_384
const endPort = 32_768
const maxAttempts = 100

const tryPort = (port: number, host: string): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(port)))
  })
