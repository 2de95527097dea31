import assert from 'node:assert/strict'
import { type Abi, encodeAbiParameters, encodeEventTopics } from 'viem'
import { outboxAbi } from '#ethereum'

/** Topics and data of a log as our Outbox writes it; the arguments are named as in the contract. */
export function outboxLog(
  eventName: 'CheckpointRecorded' | 'LeafExecuted',
  args: Readonly<Record<string, unknown>>,
) {
  const abi: Abi = outboxAbi
  const event = abi.filter((item) => item.type === 'event').find(({ name }) => name === eventName)
  assert(event, `the Outbox has an event ${eventName}`)
  const inData = event.inputs.filter(({ indexed }) => !indexed)
  return {
    topics: encodeEventTopics({ abi: [event], args }),
    data: encodeAbiParameters(
      inData,
      inData.map(({ name = '' }) => args[name]),
    ),
  }
}
