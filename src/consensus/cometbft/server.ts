import { once } from 'node:events'
import { chmod, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { DomainError, type Logger } from '#primitives'
import type { Application } from '#records'
import type { ConsensusDecision } from '../engine/index.ts'
import type { Patience } from './awaited-work.ts'
import type { Chain } from './chain.ts'
import { type ConnectionEnd, serveConnection } from './connection.ts'
import type { CometMempool } from './program/index.ts'
import { Session } from './session.ts'
import type { SnapshotPort } from './snapshots.ts'

/** Where CometBFT finds the application: a socket in the file system, or a port of 127.0.0.1. */
export type ListenAt = { readonly path: string } | { readonly port: number }

/** What `serveApplication` needs. */
export type ServeOptions = {
  readonly application: Application
  readonly chain: Chain
  /** CometBFT's `mempool.type`. */
  readonly mempool: CometMempool
  /**
   * Of a proposer with nothing to do, where CometBFT asks for blocks all the time; absent: none.
   */
  readonly patience?: Patience | undefined
  /** Absent: it gives none, and begins from none. */
  readonly snapshots?: SnapshotPort | undefined
  readonly listen: ListenAt
  readonly logger: Logger
  /** Told of each block after its commit. */
  readonly onDecided?: (decision: ConsensusDecision) => void
  /** Told once, when the application has failed and answers no more. */
  readonly onFailure: (error: unknown) => void
  /** Told of each connection's end, and why. */
  readonly onEnd?: (end: ConnectionEnd) => void
}

/** An application that CometBFT can reach. */
export type AbciServer = {
  /** What CometBFT's `proxy_app` says: `unix://…` or `tcp://127.0.0.1:…`. */
  readonly address: string
  /**
   * Passes on a transaction that the application has admitted, where CometBFT's mempool is the
   * application's (`mempool.type = "app"`).
   */
  relay(transaction: Uint8Array): void
  /** Ends all connections; resolves once the application is not called any more. */
  close(): Promise<void>
}

/** CometBFT opens four; as many again while a new one starts and an old one is still ending. */
const maxConnections = 8

/**
 * Serves an application to one CometBFT process by ABCI 2.0. A process that ends may be started
 * again at once: it is told where the application stands, and goes on from there.
 *
 * @see CometBFT, the specification of ABCI, its chapter on client and server
 */
export async function serveApplication(options: ServeOptions): Promise<AbciServer> {
  const { application, chain, mempool, patience, snapshots, listen, logger, onEnd } = options
  const session = new Session({
    ...{ application, chain, mempool, patience, snapshots, logger },
    onDecided: (decision) => options.onDecided?.(decision),
    onFailure: options.onFailure,
  })
  const sockets = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    serveConnection(socket, session, (end) => {
      const { reason, message } = end
      if (reason !== undefined) logger.error('an ABCI connection has ended', { reason, message })
      onEnd?.(end)
    })
  })
  server.maxConnections = maxConnections
  const address = await open(server, listen)
  return {
    address,
    relay: (transaction) => session.relay(transaction),
    async close() {
      const closed = new Promise((resolve) => server.close(resolve))
      for (const socket of sockets) socket.destroy()
      await closed
      await session.stop()
    },
  }
}

/** A socket file that a killed process has left is in the way; its folder's lock is the guard. */
async function open(server: Server, listen: ListenAt): Promise<string> {
  const where = 'path' in listen ? listen.path : `127.0.0.1:${listen.port}`
  try {
    if ('path' in listen) await rm(listen.path, { force: true })
    server.listen('path' in listen ? listen : { ...listen, host: '127.0.0.1' })
    await once(server, 'listening')
    if ('path' in listen) await chmod(listen.path, 0o600) // who can connect can move the ledger
  } catch (error) {
    throw new SocketFailedError(`cannot listen at ${where}: ${String(error)}`, { where }, error)
  }
  const bound = server.address()
  return typeof bound === 'object' && bound ? `tcp://127.0.0.1:${bound.port}` : `unix://${where}`
}

/** The socket that CometBFT is to connect to cannot be opened. */
export class SocketFailedError extends DomainError<'SocketFailed', { readonly where: string }> {
  override readonly code = 'SocketFailed'
}
