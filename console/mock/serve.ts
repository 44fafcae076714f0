/** The built console with the mock, sent as the server sends it: with its content security policy, compressed. */

import { createReadStream, existsSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { extname, join, normalize } from 'node:path'

import { answer } from './api.ts'

const DIST = new URL('../dist', import.meta.url).pathname
const PORT = Number(process.env.PORT ?? 4173)

const CSP = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ')

const TYPES: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

function sendFile(request: IncomingMessage, response: ServerResponse): void {
  const path = normalize(new URL(request.url ?? '/', 'http://mock').pathname)
  const asset = join(DIST, path)
  // What is no file is a page of the console.
  const file = existsSync(asset) && statSync(asset).isFile() ? asset : join(DIST, 'index.html')
  const packed = (request.headers['accept-encoding'] ?? '').includes('br') && existsSync(`${file}.br`)
  response.writeHead(200, {
    'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
    'content-security-policy': CSP,
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': path.startsWith('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
    ...(packed ? { 'content-encoding': 'br' } : {}),
  })
  createReadStream(packed ? `${file}.br` : file).pipe(response)
}

createServer((request, response) => {
  answer(request, response).then(
    (done) => {
      if (!done) sendFile(request, response)
    },
    (error: unknown) => {
      console.error(error)
      response.destroy()
    },
  )
}).listen(PORT, '127.0.0.1', () => {
  console.log(`the console with the mock: http://127.0.0.1:${PORT}/mock/busy`)
})
