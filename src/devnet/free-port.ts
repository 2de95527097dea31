import { randomInt } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { PortInUseError } from '#node'

/**
 * A port of the host, 127.0.0.1 when absent, that nobody listens on; 0 asks for any. That one stays
 * free until its user listens unless somebody asks for it by number: systems give no port of this
 * range to connections (Linux gives 32768 and up, others 49152 and up), and it is claimed for as
 * long as this process lives.
 *
 * @throws PortInUseError
 */
export async function freePort(wanted: number, host = '127.0.0.1'): Promise<number> {
  for (let attempt = 1; ; attempt++) {
    const port = wanted === 0 ? randomInt(firstPort, endPort) : wanted
    try {
      await listenOnce(port, host)
      if (wanted === 0) await claim(port)
      return port
    } catch (cause) {
      if (wanted !== 0 || attempt === maxAttempts) throw portInUse(port, host, cause)
    }
  }
}

/** So many of them. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = []
  while (ports.length < count) ports.push(await freePort(0))
  return ports
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

async function listenOnce(port: number, host: string): Promise<void> {
  const server = await listen(port, host)
  await new Promise((resolve) => server.close(resolve))
}

/** An address of loopback, in nobody's way, where whoever takes a port listens on it too. */
const claimHost = '127.255.0.1'

/** @throws when another process, or this one, has claimed it; a system may lack the address. */
async function claim(port: number): Promise<void> {
  try {
    const server = await listen(port, claimHost)
    server.unref()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') throw error
  }
}

const listen = (port: number, host: string): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen({ port, host, exclusive: true }, () => resolve(server))
  })
