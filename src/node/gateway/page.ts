import { readFileSync } from 'node:fs'
import { sha256, utf8 } from '#primitives'

const read = (name: string): string =>
  readFileSync(new URL(`./page/${name}`, import.meta.url), 'utf8')

const style = read('page.css')
const script = read('page.js')

/** The page as one document: it loads nothing else, and asks only this gateway's JSON-RPC. */
export const pageHtml: string = read('page.html')
  .replace('<style></style>', () => `<style>${style}</style>`)
  .replace('<script type="module"></script>', () => `<script type="module">${script}</script>`)

const cspHash = (text: string): string =>
  `'sha256-${Buffer.from(sha256(utf8(text))).toString('base64')}'`

/** Only the page's own style and script run, and nobody can frame it. */
export const pageHeaders = {
  'content-type': 'text/html; charset=utf-8',
  'cache-control': 'no-cache',
  'content-security-policy': [
    "default-src 'none'",
    `style-src ${cspHash(style)}`,
    `script-src ${cspHash(script)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
} as const
