import type { Effort } from '../solution.ts'

/** What a solve has done so far, and how much it may do. */
export type Work = {
  readonly effort: Effort
  /** Visits after which every method gives up. */
  readonly maxVisits: number
}

/** Nothing done yet. */
export const createWork = (maxVisits: number): Work => ({
  effort: { newton: 0, conjugate: 0, sweeps: 0, scans: 0, visits: 0 },
  maxVisits,
})

/** What a step costs in visits, however few pairs it goes through. */
const fixedCost = 100

/** Counts a step that goes through so many pairs and prices. */
export function charge({ effort }: Work, visits: number): void {
  effort.visits += visits + fixedCost
}

/** Whether there is nothing left to spend: every loop that is not short asks. */
export const isSpent = ({ effort, maxVisits }: Work): boolean => effort.visits >= maxVisits
