import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf'
import { DomainError } from '#primitives'
import { BadFrameError, toFrame } from './frames.ts'
import { type Request, RequestSchema, ResponseSchema } from './messages/abci_pb.ts'
import { checkForm, formOf } from './well-formed.ts'

/** What CometBFT asks: one of the messages that `Request` may hold. */
export type Asked = Exclude<Request['value'], { readonly case: undefined }>

/** An answer before it is encoded; its case is that of the question, or `exception`. */
export type Answer = NonNullable<MessageInitShape<typeof ResponseSchema>['value']>

/**
 * Reads a message. Transactions in it are views of its bytes.
 *
 * @throws BadFrameError, UnknownMessageError
 */
export function decodeRequest(bytes: Uint8Array): Asked {
  const { value } = parse(bytes)
  if (value.case !== undefined) return value
  const [tag] = bytes
  throw new UnknownMessageError(
    `no message that is known, its first byte is ${tag ?? 'missing'}`,
    {},
  )
}

const requestForm = formOf(RequestSchema)

function parse(bytes: Uint8Array): Request {
  try {
    checkForm(requestForm, bytes)
    return fromBinary(RequestSchema, bytes)
  } catch (error) {
    throw new BadFrameError(`not a message: ${String(error)}`, {}, error)
  }
}

/** Frames of answers that are given again and again. */
const constants = new WeakMap<Answer, Uint8Array>()

/** An answer that is encoded once. */
export function constantAnswer(answer: Answer): Answer {
  constants.set(answer, encode(answer))
  return answer
}

/** The frame of an answer. */
export const encodeAnswer = (answer: Answer): Uint8Array => constants.get(answer) ?? encode(answer)

const encode = (value: Answer): Uint8Array =>
  toFrame(toBinary(ResponseSchema, create(ResponseSchema, { value })))

/** A message of a kind that is not spoken here. */
export class UnknownMessageError extends DomainError<'UnknownMessage'> {
  override readonly code = 'UnknownMessage'
}
