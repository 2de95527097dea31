/** Bytes of an SSZ offset. */
const offsetBytes = 4

/** What a transaction of a call begins with: its tag, and where its body begins. */
const headBytes = 1 + offsetBytes

/** What the body begins with: where the service's name and the payload begin. */
const bodyHeadBytes = 2 * offsetBytes

/** Of a call's transaction, as SSZ writes it. */
export type QuickCall = { readonly service: string; readonly payload: Uint8Array }

/**
 * Reads a call, of which a busy block has thousands, without the general codec: the same call, or
 * undefined for whatever is not plainly one, of which the codec has to judge.
 *
 * @param tag - of a call among the transactions.
 * @param limits - most bytes of a service's name, and of a payload.
 */
export function readCall(
  bytes: Uint8Array,
  tag: number,
  limits: { readonly service: number; readonly payload: number },
): QuickCall | undefined {
  const start = headBytes + bodyHeadBytes
  if (bytes.length < start || bytes[0] !== tag || offsetAt(bytes, 1) !== headBytes) return undefined
  if (offsetAt(bytes, headBytes) !== bodyHeadBytes) return undefined
  const payloadAt = headBytes + offsetAt(bytes, headBytes + offsetBytes)
  if (payloadAt < start || payloadAt - start > limits.service) return undefined
  if (payloadAt > bytes.length || bytes.length - payloadAt > limits.payload) return undefined
  let service = ''
  for (let at = start; at < payloadAt; at++) {
    const code = bytes[at] as number
    if (code > 0x7f) return undefined
    service += String.fromCharCode(code)
  }
  return { service, payload: new Uint8Array(bytes.subarray(payloadAt)) } // a copy, of a Buffer too
}

/**
 * Writes a call as the general codec does, or gives undefined for what it has to judge: names that
 * are not plain letters, and what exceeds a limit.
 */
export function writeCall(
  { service, payload }: QuickCall,
  tag: number,
  limits: { readonly service: number; readonly payload: number },
): Uint8Array | undefined {
  if (service.length > limits.service || payload.length > limits.payload) return undefined
  const start = headBytes + bodyHeadBytes
  const bytes = new Uint8Array(start + service.length + payload.length)
  bytes[0] = tag
  bytes[1] = headBytes
  bytes[headBytes] = bodyHeadBytes
  bytes[headBytes + offsetBytes] = bodyHeadBytes + service.length // far below 256, as all of these
  for (let at = 0; at < service.length; at++) {
    const code = service.charCodeAt(at)
    if (code > 0x7f) return undefined
    bytes[start + at] = code
  }
  bytes.set(payload, start + service.length)
  return bytes
}

const offsetAt = (bytes: Uint8Array, at: number): number =>
  (bytes[at] as number) +
  (bytes[at + 1] as number) * 0x1_00 +
  (bytes[at + 2] as number) * 0x1_00_00 +
  (bytes[at + 3] as number) * 0x1_00_00_00
