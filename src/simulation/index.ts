// A network in virtual time, by the ledger's own rules: scenarios, runs, reports.
export type { AllocationEpoch, Epoch, OperatorEpoch, Run, ServiceEpoch } from './facts.ts'
export { idealCrypto, type LedgerCrypto } from './ideal-crypto.ts'
export { percentile } from './percentile.ts'
export { simulationReport } from './report/page.ts'
export {
  type Axis,
  type Chart,
  type Curve,
  drawChart,
  drawHeatMap,
  type HeatMap,
  type Mark,
} from './report/svg.ts'
export type {
  Scenario,
  ScenarioEvent,
  ScenarioOperator,
  ScenarioService,
  Traits,
} from './scenario.ts'
export { BadScenarioError, readScenario } from './scenario-file.ts'
export { type Progress, type Simulation, simulate } from './simulate.ts'
export {
  type OperatorSummary,
  type ServiceSummary,
  type SimulationSummary,
  type Spread,
  summariseSimulation,
} from './summary.ts'
export type { Propose } from './virtual-network.ts'
