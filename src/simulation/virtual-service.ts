import { bigintToBytes, bytesToBigint, type Hex, type Wei } from '#primitives'
import type { AssignedService } from '#protocol'
import type { ScenarioService } from './scenario.ts'

/** Wei of one unit of a scenario's money. */
const weiPerMoney = 10n ** 18n

/** An amount of a scenario's money; exact to a millionth. */
export const toWei = (money: number): Wei =>
  (BigInt(Math.round(money * 1e6)) * (weiPerMoney / 1_000_000n)) as Wei

/** What an amount is in a scenario's money. */
export const toMoney = (wei: bigint): number => Number(wei) / Number(weiPerMoney)

/** Results are whole numbers of 32 bytes, and any bytes are a payload. */
export function virtualService(service: ScenarioService): AssignedService {
  return {
    spec: {
      name: service.name,
      mode: 'assigned',
      rule: service.rule,
      committee: service.committee,
      fee: toWei(service.fee),
      commitMs: service.commitMs,
      revealMs: service.revealMs,
      toleranceBps: service.toleranceBps,
      auditToleranceBps: service.auditToleranceBps,
      requires: service.requires,
      consumer: `0x${'00'.repeat(20)}` as Hex,
    },
    check: () => ({ ok: true }),
    checkResult: (_, result) =>
      result.length === resultBytes ? { ok: true } : { ok: false, reason: 'InvalidResult' },
    toNumber: bytesToBigint,
    fromNumber: encodeResult,
    leafBody: (_, result) => result,
  }
}

const resultBytes = 32

/** A result as its bytes. */
export const encodeResult = (value: bigint): Uint8Array => bigintToBytes(value, resultBytes)
