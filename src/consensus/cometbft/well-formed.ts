import { type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf'
import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { assert } from '#primitives'

/** What the fields of a kind of message look like, by number. */
export type Form = ReadonlyMap<number, FieldForm>

/** How a field is written, and what is in it where that is a message. */
type FieldForm = { readonly wireType: WireType; readonly inner: Form | undefined }

/** The form of a kind of message, which is nowhere inside itself. */
export const formOf = (schema: DescMessage): Form =>
  new Map(
    schema.fields.map((field) => [
      field.number,
      { wireType: wireTypeOf(field), inner: field.message && formOf(field.message) },
    ]),
  )

/**
 * Checks what the decoder takes on trust: that each message ends where its length says, and each
 * field is written as its type is. It would read on beyond the one, and take the other's value for
 * a length.
 *
 * @throws Error with what is wrong.
 */
export function checkForm(form: Form, bytes: Uint8Array): void {
  checkFields(form, new BinaryReader(bytes), bytes.length)
}

function checkFields(form: Form, reader: BinaryReader, end: number): void {
  while (reader.pos < end) {
    const [number, wireType] = reader.tag()
    const field = form.get(number)
    if (field && field.wireType !== wireType)
      throw new Error(`field ${number} is of wire type ${wireType}`)
    if (wireType !== WireType.LengthDelimited) {
      reader.skip(wireType, number)
      continue
    }
    const length = reader.uint32()
    const stop = reader.pos + length
    if (field?.inner) checkFields(field.inner, reader, stop)
    else reader.pos = stop
  }
  if (reader.pos !== end) throw new Error(`what should end at ${end} ends at ${reader.pos}`)
}

function wireTypeOf(field: DescField): WireType {
  if (field.message) return WireType.LengthDelimited
  if (field.enum) return WireType.Varint
  const isText = field.scalar === ScalarType.STRING || field.scalar === ScalarType.BYTES
  if (isText) return WireType.LengthDelimited
  assert(field.fieldKind === 'scalar' && varints.has(field.scalar), `no form for ${field.name}`)
  return WireType.Varint
}

const varints: ReadonlySet<ScalarType> = new Set([
  ...[ScalarType.INT32, ScalarType.INT64, ScalarType.UINT32, ScalarType.UINT64],
  ScalarType.BOOL,
])
