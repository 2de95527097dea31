import { Command } from 'commander'
import { type ProofVerdict, type ProofView, toJson, verifyProof } from '#api'
import type { Hex } from '#primitives'
import {
  clientOf,
  exitCodes,
  type GatewayOptions,
  requireHex,
  requireUrl,
  type Surroundings,
} from './cli.ts'
import { describeStep } from './follow.ts'
import { checkOnL1, type L1Verdict } from './l1-check.ts'
import { describePath } from './path.ts'

type ProveOptions = GatewayOptions & { readonly l1?: string; readonly outbox?: string }

/** `nodeop prove`: the path from a transaction or task to L1, checked here and there. */
export const proveCommand = (around: Surroundings, finish: (code: number) => void): Command =>
  new Command('prove')
    .description('print and check the path: transaction or task, leaf, root, L1 transaction')
    .argument('<hash>', 'hash of an L2 transaction, or id of a task')
    .option('--l1 <url>', 'L1 node to ask (default: what the gateway names, if it does)')
    .option('--outbox <address>', 'Outbox that you trust (default: what the gateway names)')
    .option('--rpc <urls>', 'gateways, separated by commas (or NODEOP_RPC)')
    .option('--json', 'print the proof as one JSON line')
    .action(async (hash: string, options: ProveOptions) =>
      finish(await prove(hash, options, around)),
    )

async function prove(hash: string, options: ProveOptions, around: Surroundings): Promise<number> {
  const subject = requireHex('HASH', hash, 32)
  const trusted = options.outbox ? requireHex('--outbox', options.outbox, 20) : undefined
  if (options.l1 !== undefined) requireUrl('--l1', options.l1)
  const client = clientOf(options, around)
  const [proof, state] = await Promise.all([
    client.nodeop_getProof(subject),
    client.nodeop_status(),
  ])
  const verified = aboutSubject(proof, subject) ? verifyProof(proof) : otherSubject
  const url = options.l1 ?? state.l1.url
  const recorded = await checkRoot(proof, url, trusted ?? state.l1.outbox)
  if (options.json) around.io.write(toJson({ ...proof, verified, recorded }))
  else for (const line of describe(proof, verified, recorded, url)) around.io.write(line)
  return verified.ok && isRecorded(proof, recorded) ? exitCodes.ok : exitCodes.failed
}

/** The gateway must not answer with a valid proof of something else. */
const aboutSubject = (proof: ProofView, subject: Hex): boolean => proof.subject === subject
const otherSubject: ProofVerdict = { ok: false, reason: 'SubjectMismatch' }

async function checkRoot(
  { checkpoint, l1 }: ProofView,
  url: string | undefined,
  outbox: Hex,
): Promise<L1Verdict | undefined> {
  return checkpoint && l1 && url ? checkOnL1(url, outbox, { checkpoint, l1 }) : undefined
}

/** On L1 by L1's own word; by the gateway's alone only when no L1 node could be asked. */
const isRecorded = (proof: ProofView, recorded: L1Verdict | undefined): boolean =>
  recorded ? recorded.ok : proof.l1 !== undefined

function describe(
  proof: ProofView,
  verified: ProofVerdict,
  recorded: L1Verdict | undefined,
  url: string | undefined,
): string[] {
  if (!proof.leaf || !proof.checkpoint)
    return [`${proof.kind} ${proof.subject}`, `not provable yet: ${describeStep(proof)}`]
  return [
    ...describePath(proof),
    verified.ok
      ? 'checked here: the path holds from the subject to the root'
      : `checked here: the path does not hold (${verified.reason})`,
    describeL1(proof, recorded, url),
  ]
}

function describeL1(
  proof: ProofView,
  recorded: L1Verdict | undefined,
  url: string | undefined,
): string {
  if (!proof.l1) return 'not on L1 yet: the checkpoint waits for its submission'
  if (!recorded) return 'not checked on L1: name a node with --l1 URL'
  if (!recorded.ok) return `checked on L1: ${recorded.reason} (${recorded.detail})`
  const ring = recorded.isCurrent ? '' : '; newer checkpoints have replaced it in the ring'
  return `checked on L1 at ${url}: the Outbox has recorded this root${ring}`
}
