/** Told how far the run has come, so that a run of hours that ends early has said something. */
export type Progress = {
  readonly step: (stage: string, done: number, of: number) => void
  readonly ended: (stage: string, report: object) => void
}
