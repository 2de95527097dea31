import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Draft } from './allocation-instances.ts'

/** A solver that runs under Python. */
export type PeerName = 'clarabel' | 'osqp' | 'highs'

/** The package that has each peer. */
export const packages: Readonly<Record<PeerName, string>> = {
  clarabel: 'clarabel',
  osqp: 'osqp',
  highs: 'highspy',
}

/** One solve of a peer: its own time, without building matrices. */
export type PeerRun = {
  readonly ms: number
  readonly objective: number
  /** Whether it says that it ended at its tolerance, not at its time limit. */
  readonly done: boolean
}

/** A peer that holds one programme and solves it when asked. */
export type Peer = { solve(): Promise<PeerRun>; stop(): void }

/** The Python that has the peers: NODEOP_PYTHON, else `python3`. */
export const python = (): string => process.env.NODEOP_PYTHON ?? 'python3'

/** @returns undefined when this Python cannot run the peer. */
export async function startPeer(
  name: PeerName,
  draft: Draft,
  limitS: number,
): Promise<Peer | undefined> {
  const folder = mkdtempSync(join(tmpdir(), 'nodeop-bench-'))
  const file = join(folder, 'programme')
  writeFileSync(file, encode(draft))
  const script = join(import.meta.dirname, 'python/allocation_peers.py')
  const child = spawn(python(), [script, name, file, String(limitS)], {
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  const stop = () => {
    child.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', stop)
  const answers = answersOf(child)
  const ready = await answers()
  if (!ready) {
    stop()
    return undefined
  }
  const solve = async () => {
    child.stdin?.write('solve\n')
    const answer = await answers()
    if (!answer) throw new Error(`${name} ended without an answer`)
    return answer as PeerRun
  }
  return { solve, stop }
}

/** Reads one line of JSON at a time; undefined once the process has ended. */
function answersOf(child: ChildProcess): () => Promise<unknown> {
  child.on('error', () => {}) // no such Python: its output ends, which says so
  if (!child.stdout) throw new Error('a process without output')
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
  return async () => {
    const { value, done } = await lines.next()
    return done ? undefined : JSON.parse(value)
  }
}

function encode(draft: Draft): Buffer {
  const isLinear = draft.congestion.every((q) => q === 0)
  const head = BigInt64Array.of(
    BigInt(draft.operators),
    BigInt(draft.tasks),
    BigInt(isLinear ? 1 : 0),
  )
  const { utility, congestion, capacity, demand, cap } = draft
  const parts = [head, utility, congestion, capacity, demand, cap]
  return Buffer.concat(
    parts.map(({ buffer, byteOffset, byteLength }) => Buffer.from(buffer, byteOffset, byteLength)),
  )
}
