import { z } from 'zod'
import { DomainError } from '#primitives'
import type { Floor, GuardOwner } from './records.ts'

/** What the keys of one operator have signed at most, to be carried to another machine. */
export type Watermark = GuardOwner & { readonly floor: Floor }

/** The envelope as JSON, for a file. */
export const encodeWatermark = ({ networkId, operator, floor }: Watermark): string => {
  const { vote, report, transaction } = floor
  const purposes = {
    vote: vote ?? null,
    report: report === undefined ? null : { sequence: report },
    transaction: transaction === 0 ? null : { nonce: transaction - 1 },
    // Nonces of an instance end with its process: nothing of them goes over to another machine.
    nonce: null,
  }
  return `${JSON.stringify({ format, version: 1, networkId, operator, purposes }, undefined, 2)}\n`
}

/**
 * Reads an envelope for the same network and operator.
 *
 * @throws BadWatermarkError, which says what is wrong with it.
 */
export function decodeWatermark(text: string, mine: GuardOwner): Watermark {
  const { networkId, operator, purposes } = parse(text)
  if (networkId !== mine.networkId)
    throw bad(`it is of network ${networkId}, not ${mine.networkId}`)
  if (operator !== mine.operator) throw bad(`it is of operator ${operator}, not ${mine.operator}`)
  const { vote, report, transaction } = purposes
  return {
    ...mine,
    floor: {
      vote: vote ?? undefined,
      report: report?.sequence,
      transaction: transaction ? transaction.nonce + 1 : 0,
      index: 0,
    },
  }
}

/** A text that is no watermark of this operator. */
export class BadWatermarkError extends DomainError<'BadWatermark', { problem: string }> {
  override readonly code = 'BadWatermark'
}

const format = 'nodeop-signing-watermark'

const count = z
  .number()
  .int()
  .min(0)
  .max(Number.MAX_SAFE_INTEGER - 1)
const hash = z.templateLiteral(['0x', z.string().regex(/^[0-9a-f]{64}$/)])

const envelope = z.strictObject({
  format: z.literal(format),
  version: z.literal(1),
  networkId: hash,
  operator: hash,
  purposes: z.strictObject({
    vote: z
      .strictObject({
        height: count,
        round: count.max(2 ** 32 - 1),
        step: z.enum(['proposal', 'prevote', 'precommit']),
      })
      .nullable(),
    report: z.strictObject({ sequence: count }).nullable(),
    transaction: z.strictObject({ nonce: count }).nullable(),
    nonce: z.null(),
  }),
})

function parse(text: string): z.infer<typeof envelope> {
  try {
    return envelope.parse(JSON.parse(text))
  } catch (error) {
    throw bad(error instanceof z.ZodError ? z.prettifyError(error) : 'it is no JSON', error)
  }
}

const bad = (problem: string, cause?: unknown): BadWatermarkError =>
  new BadWatermarkError(`not a watermark for this operator: ${problem}`, { problem }, cause)
