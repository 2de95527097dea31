// The gateway's page: asks this gateway's JSON-RPC every two seconds and draws what it answers.
// Everything shown is set as text, never as markup.

const refreshMs = 2_000
const rows = 12

/** One element; `undefined` children are left out. */
function element(tag, properties, ...children) {
  const node = Object.assign(document.createElement(tag), properties)
  node.append(...children.filter((child) => child !== undefined).map(toNode))
  return node
}

const toNode = (child) => (child instanceof Node ? child : String(child))
const byId = (id) => document.getElementById(id)

/**
 * Results of several methods in one batch, by position, and the gateway's time: the browser's clock
 * may be off. Throws what went wrong in words.
 */
async function ask(calls) {
  const response = await fetch('/', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(
      calls.map(([method, ...params], id) => ({ jsonrpc: '2.0', id, method, params })),
    ),
    signal: AbortSignal.timeout(8_000),
  })
  if (!response.ok) throw new Error(`the gateway answered HTTP ${response.status}`)
  const answers = await response.json()
  const results = calls.map(([method], id) => {
    const answer = answers.find((one) => one.id === id)
    if (!answer || answer.error)
      throw new Error(`${method}: ${answer?.error?.message ?? 'no answer'}`)
    return answer.result
  })
  return { results, nowMs: Date.parse(response.headers.get('date')) || Date.now() }
}

// Pieces

const badge = (text, tone = '') => element('span', { className: `badge ${tone}` }, text)

function hash(value) {
  if (!value || /^0x0*$/.test(value)) return '–'
  const short = `${value.slice(0, 8)}…${value.slice(-4)}`
  const button = element('button', { className: 'hash', type: 'button', title: value }, short)
  button.dataset.copy = value
  return button
}

const whole = (value) => BigInt(value).toLocaleString('en')

const counted = (count, one, many = `${one}s`) =>
  `${whole(count)} ${Number(count) === 1 ? one : many}`

function ago(thenMs, nowMs) {
  const seconds = Math.max(0, Math.round((nowMs - thenMs) / 1000))
  if (seconds < 120) return `${seconds} s ago`
  return seconds < 7200
    ? `${Math.round(seconds / 60)} min ago`
    : `${Math.round(seconds / 3600)} h ago`
}

/** A table of records; `columns`: [title, cell of a record, class]. Without records: the words. */
function table(records, columns, emptyWords) {
  if (records.length === 0) return element('p', { className: 'empty' }, emptyWords)
  const head = columns.map(([title, , className = '']) =>
    element('th', { className, scope: 'col' }, title),
  )
  const body = records.map((record) =>
    element(
      'tr',
      {},
      ...columns.map(([, cell, className = '']) => element('td', { className }, cell(record))),
    ),
  )
  return element(
    'table',
    {},
    element('thead', {}, element('tr', {}, ...head)),
    element('tbody', {}, ...body),
  )
}

/** Bytes as printable words where they are, else shortened. */
function bytes(hex) {
  if (!hex || hex === '0x') return '–'
  const raw = Uint8Array.from(hex.slice(2).match(/../g), (pair) => Number.parseInt(pair, 16))
  const isText = raw.every((byte) => byte >= 0x20 && byte < 0x7f)
  return isText ? new TextDecoder().decode(raw) : hash(hex)
}

/** Results in the terms of the services that this page knows. */
const answers = {
  /** An int256 in units of 10^-8 of the quote. */
  price: (hex) => {
    const units = BigInt.asIntN(256, BigInt(hex))
    const [size, sign] = units < 0n ? [-units, '−'] : [units, '']
    return `${sign}${whole(size / 10n ** 8n)}.${String(size % 10n ** 8n).padStart(8, '0')}`
  },
}

function answer({ request, result }) {
  const known = Object.hasOwn(answers, request.service) && answers[request.service]
  return known && /^0x[0-9a-f]{64}$/.test(result ?? '') ? known(result) : bytes(result)
}

// Summary

function drawStatus(status) {
  const { network, ledger, l1, l2, outbox, tasks, operator } = status
  byId('network').textContent = network.name
  byId('answerer').textContent =
    `Answered by operator ${operator.id} (${operator.name}) · ${status.engine} engine · ` +
    `version ${status.version}`
  const verdict = byId('verdict')
  verdict.className = `verdict ${status.ready ? 'good' : 'bad'}`
  verdict.textContent = status.ready
    ? `Serving: ${network.threshold} of ${network.operators} operators sign what the network decides.`
    : `Not ready: ${status.reason ?? 'no reason given'}.`
  const tile = (title, value, note) =>
    element(
      'div',
      {},
      element('dt', {}, title),
      element('dd', {}, value, element('small', {}, note)),
    )
  const behind = outbox.certified - outbox.onL1
  const l2Note = l2 && `${counted(l2.transactions, 'transaction')} · chain ${l2.chainId}`
  byId('summary').replaceChildren(
    tile('Consensus height', whole(ledger.height), new Date(ledger.timeMs).toLocaleTimeString()),
    ...(l2 ? [tile('L2 block', whole(l2.block), l2Note)] : []),
    tile(
      'Checkpoints certified',
      whole(outbox.certified),
      counted(outbox.leaves, 'leaf', 'leaves'),
    ),
    tile(
      'Checkpoint on L1',
      whole(outbox.onL1),
      behind > 0 ? `${behind} on the way` : 'up to date',
    ),
    tile('Tasks settled', whole(tasks.settled), `${tasks.open} open · ${tasks.expired} expired`),
    tile(
      'L1 block',
      whole(l1.block),
      `${counted(l1.events, 'event')} agreed · chain ${l1.chainId}` +
        (l1.reason ? ` · at rest: ${l1.reason}` : ''),
    ),
  )
}

// Checkpoints

/** What became of a checkpoint: the state in a word and its tone, and a sentence. */
function fate(checkpoint, nowS) {
  const { status, l1, submitters, startS, windowS } = checkpoint
  const is = (state, tone, words) => ({ state, tone, words })
  if (status === 'pending') return is('signing', 'busy', 'The group is signing it.')
  if (status === 'abandoned')
    return is('abandoned', '', 'Could not be signed; a newer one took over.')
  if (l1) return landing(checkpoint)
  if (status === 'landed') return is('on L1', 'good', 'Covered by a newer checkpoint.')
  if (nowS < startS)
    return is('certified', 'busy', `Window opens in ${Math.ceil(startS - nowS)} s.`)
  const window = Math.floor((nowS - startS) / windowS)
  if (window >= submitters.length)
    return is('certified', 'warn', 'All windows have passed: any operator may submit.')
  const owners = submitters.slice(0, window + 1).join(', ')
  return is('certified', 'busy', `Window ${window + 1} is open for operator ${owners}.`)
}

/** Who brought it to L1: its first owner in time, the same late, or another by fallback. */
function landing({ l1, submitters }) {
  const state = 'on L1'
  const who = l1.operator ? `Operator ${l1.operator}` : 'An account without operator'
  if (l1.operator !== undefined && l1.operator !== submitters[0]) {
    const words = `${who} submitted by fallback; operator ${submitters[0]} owned the window.`
    return { state, tone: 'warn', words }
  }
  return (l1.window ?? 0) > 0
    ? { state, tone: 'warn', words: `${who} submitted after its own window.` }
    : { state, tone: 'good', words: `${who} submitted in its own window.` }
}

/** The windows as a bar: who owns each, where it was submitted, which is open. */
function timeline(checkpoint, nowS) {
  const { submitters, startS, windowS, l1, status } = checkpoint
  const placed = l1?.timeS === undefined ? undefined : (l1.timeS - startS) / windowS
  const landedIn = l1 && (l1.window ?? (placed === undefined ? undefined : Math.floor(placed)))
  const waiting = status === 'certified' && !l1
  const bar = submitters.map((owner, k) => {
    const isOpen = waiting && nowS >= startS + k * windowS && nowS < startS + (k + 1) * windowS
    const landed = landedIn === k ? (k === 0 ? 'own' : 'fallback') : ''
    const unused = k < landedIn ? 'unused' : ''
    return element(
      'span',
      { className: `window ${isOpen ? 'open' : landed} ${unused}`, title: `operator ${owner}` },
      `op ${owner}`,
    )
  })
  const node = element('div', { className: 'windows' }, ...bar)
  if (placed !== undefined && submitters.length > 0) {
    const mark = element('span', { className: 'mark', title: `submitted at ${l1.timeS}` })
    mark.style.left = `${Math.min(100, Math.max(0, (100 * placed) / submitters.length))}%`
    node.append(mark)
  }
  return node
}

function drawCheckpoints(checkpoints, nowMs) {
  const nowS = nowMs / 1000
  const records = checkpoints.map((one) => ({ ...one, fate: fate(one, nowS) }))
  const columns = [
    ['#', ({ index }) => index, 'number'],
    ['State', ({ fate }) => badge(fate.state, fate.tone)],
    ['Leaves', ({ size }) => whole(size), 'number'],
    ['Windows, by owner', (one) => timeline(one, nowS), 'wide'],
    ['What happened', ({ fate }) => fate.words, 'words'],
    ['L1 transaction', ({ l1 }) => hash(l1?.transaction)],
  ]
  const words = 'No checkpoint yet: the network cuts one as soon as the outbox has a leaf.'
  return table(records, columns, words)
}

// Operators, tasks, blocks

/** Work over all services. */
function served(scores = []) {
  const drawn = scores.reduce((sum, score) => sum + score.drawn, 0)
  if (drawn === 0) return '–'
  const lapses = scores.reduce(
    (sum, { late, missing, outlying }) => sum + late + missing + outlying,
    0,
  )
  return `${whole(drawn)} drawn, ${counted(lapses, 'lapse')}`
}

/** The lowest over all services of a fraction in units of 10^-18. */
const percent = (scores = [], name) =>
  scores.length === 0
    ? '–'
    : `${(Math.min(...scores.map((score) => Number(score[name]) / 1e18)) * 100).toFixed(0)} %`

/** Fees over all services, in ether. */
function earned(scores = []) {
  const wei = scores.reduce((sum, score) => sum + BigInt(score.earned), 0n)
  return (Number(wei) / 1e18).toFixed(5)
}

const drawOperators = (operators) =>
  table(
    operators,
    [
      ['Operator', ({ id, name }) => `${id} · ${name}`],
      ['Status', ({ status }) => badge(status, status === 'active' ? 'good' : 'bad')],
      ['Power', ({ power }) => whole(power), 'number'],
      [
        'Sees L1 block',
        ({ view }) => (view.fork ? badge('fork', 'bad') : whole(view.block)),
        'number',
      ],
      ['Missed windows', ({ missedWindows }) => whole(missedWindows), 'number'],
      ['Silent sessions', ({ silentSessions }) => silentSessions, 'number'],
      ['Tasks', ({ scores }) => served(scores)],
      ['In time', ({ scores }) => percent(scores, 'timeliness'), 'number'],
      ['Agreeing', ({ scores }) => percent(scores, 'agreement'), 'number'],
      ['Trusted', ({ scores }) => percent(scores, 'trust'), 'number'],
      ['Share of tasks', ({ scores }) => percent(scores, 'share'), 'number'],
      ['Earned, ETH', ({ scores }) => earned(scores), 'number'],
      ['L1 account', ({ l1Account }) => hash(l1Account)],
    ],
    'No operator in the ledger.',
  )

const taskTone = { settled: 'good', agreed: 'good', expired: 'bad' }

/** How far the committee is, in words. */
function progress({ status, committee, agreeing, reason }) {
  if (status === 'expired') return reason || 'no result'
  const committed = committee.filter(({ digest }) => digest).length
  const revealed = committee.filter(({ result }) => result).length
  if (agreeing.length > 0) return `${agreeing.length} of ${revealed} results agree`
  if (status === 'committing') return `${committed} of ${committee.length} committed`
  if (status === 'revealing') return `${revealed} of ${committee.length} revealed`
  return 'waits for its draw'
}

const drawTasks = (tasks) =>
  table(
    tasks,
    [
      ['Task', ({ id }) => hash(id)],
      ['Service', ({ request }) => request.service],
      ['Asks', ({ request }) => bytes(request.payload)],
      ['Status', ({ status }) => badge(status, taskTone[status] ?? 'busy')],
      ['Committee', progress],
      ['Result', answer, 'number'],
      ['Draw', ({ attempt }) => attempt || '–', 'number'],
    ],
    `No task yet. Send one: npm run nodeop -- task send price ETH/USD --rpc ${location.origin}`,
  )

const drawBlocks = (blocks, nowMs) =>
  table(
    blocks,
    [
      ['Height', ({ height }) => whole(height)],
      ['Age', ({ timeMs }) => ago(timeMs, nowMs)],
      ['Proposer', ({ proposer }) => (proposer ? `operator ${proposer}` : '–')],
      ['Round', ({ round = 0 }) => (round > 0 ? badge(round, 'warn') : round), 'number'],
      ['Transactions', ({ transactions }) => whole(transactions), 'number'],
      ['L2 block', ({ l2 }) => (l2 ? `${whole(l2.number)} (${l2.transactions} tx)` : '–')],
      ['Hash', (block) => hash(block.hash)],
    ],
    'No block yet.',
  )

// The loop

let lastAnswerMs = 0

async function refresh() {
  const { results, nowMs } = await ask([
    ['nodeop_status'],
    ['nodeop_checkpoints', rows],
    ['nodeop_operators'],
    ['nodeop_tasks', rows],
    ['nodeop_blocks', rows],
  ])
  const [status, checkpoints, operators, tasks, blocks] = results
  drawStatus(status)
  byId('checkpoints').replaceChildren(drawCheckpoints(checkpoints, nowMs))
  byId('operators').replaceChildren(drawOperators(operators))
  byId('tasks').replaceChildren(drawTasks(tasks))
  byId('blocks').replaceChildren(drawBlocks(blocks, nowMs))
  lastAnswerMs = Date.now()
}

function showProblem(error) {
  const problem = byId('problem')
  const age = lastAnswerMs > 0 ? ` What is shown is from ${ago(lastAnswerMs, Date.now())}.` : ''
  problem.textContent = `No fresh data (${error.message}); trying again.${age}`
  problem.hidden = false
  if (lastAnswerMs > 0) return
  byId('verdict').textContent = 'The gateway gives no data.'
  byId('verdict').className = 'verdict bad'
  for (const body of document.querySelectorAll('.body'))
    body.replaceChildren(element('p', { className: 'empty' }, 'No data yet.'))
}

async function loop() {
  if (!document.hidden) {
    try {
      await refresh()
      byId('problem').hidden = true
    } catch (error) {
      showProblem(error)
    }
    document.querySelector('main').setAttribute('aria-busy', 'false')
  }
  setTimeout(loop, refreshMs)
}

document.addEventListener('click', (event) => {
  const value = event.target instanceof HTMLElement && event.target.dataset.copy
  if (value) navigator.clipboard?.writeText(value)
})
loop()
