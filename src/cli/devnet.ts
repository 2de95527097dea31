import { Command } from 'commander'
import type { RawDevnetOptions } from '#devnet'
import type { Surroundings } from './cli.ts'

/** `nodeop devnet`: L1 and operators on this machine. */
export const devnetCommand = ({ io, cwd }: Surroundings, finish: (code: number) => void): Command =>
  new Command('devnet')
    .description('run a whole network on this machine: L1, operators, gateways')
    .option('--operators <count>', 'operators, 1 to 64 (default 4)')
    .option('--engine <name>', 'consensus engine: embedded (default) or cometbft')
    .option('--port <port>', 'first gateway, the others follow (default 8545; 0: free ones)')
    .option('--data <folder>', 'keep everything there between runs (default: a temporary folder)')
    .option('--load <rate>', 'L2 transactions offered per second, and one price task (default 0)')
    .option('--chaos <kinds>', 'what goes wrong, a list; the devnet guide names the kinds')
    .option('--for <time>', 'run so long, drain, print the summary and end; such as 30s')
    .option('--keep-blocks <count>', 'blocks that each operator keeps at least (default 1000000)')
    .option('--init', 'guards may begin with nothing signed: only for keys that never signed')
    .option('--json', 'print the summary as one JSON line, the last')
    .option('--share', 'operators share computations; the summary says so')
    .option('--seed <number>', 'seed of load and chaos (default 1)')
    .option('--log-level <level>', 'debug, info, warn (default), error or silent')
    .action(async (raw: RawDevnetOptions) => {
      const { parseDevnetOptions, runDevnet } = await import('#devnet')
      finish(await runDevnet(parseDevnetOptions(raw, cwd), io))
    })
