// The `nodeop` command.
import process from 'node:process'
import { runCli } from './program.ts'

// A reader that has seen enough (`nodeop status | head -1`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
})

process.exitCode = await runCli(process.argv.slice(2), {
  io: {
    write: (line) => void process.stdout.write(`${line}\n`),
    error: (line) => void process.stderr.write(`${line}\n`),
    ...(process.stderr.isTTY ? { redraw: (text) => void process.stderr.write(text) } : {}),
  },
  env: process.env,
  // npm and `run.mjs` change the folder; people mean the one they are in.
  cwd: process.env.INIT_CWD ?? process.env.NODEOP_CWD ?? process.cwd(),
})
