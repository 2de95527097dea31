import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/** What operators reach L1 by, when it is to fail: a relay of connections that can be cut. */
export type L1Link = {
  readonly url: string
  /** Cut: open connections break, and new ones break at once. */
  setCut(isCut: boolean): void
  close(): Promise<void>
}

/** A link to the L1 at `target` on a free port of 127.0.0.1. */
export async function openL1Link(target: string): Promise<L1Link> {
  const { hostname, port } = new URL(target)
  const sockets = new Set<Socket>()
  let isCut = false
  const keep = (socket: Socket): Socket => {
    sockets.add(socket)
    // A broken connection is what the other side hears of; here it is expected.
    return socket.on('error', () => {}).on('close', () => sockets.delete(socket))
  }
  const breakAll = () => {
    for (const socket of sockets) socket.destroy()
  }
  const server = createServer((near) => {
    if (isCut) return void near.destroy()
    const far = keep(connect(Number(port), hostname))
    keep(near).pipe(far).pipe(near)
    near.on('close', () => far.destroy())
    far.on('close', () => near.destroy())
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    setCut(value) {
      isCut = value
      if (isCut) breakAll()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        breakAll()
      }),
  }
}
