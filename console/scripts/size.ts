/** Prints what the first load of the dashboard weighs, and fails when it is too much. */

import { readFile } from 'node:fs/promises'
import { brotliCompressSync, gzipSync } from 'node:zlib'

const BUDGET = 200 * 1024

interface Chunk {
  file: string
  css?: string[]
  imports?: string[]
}

const dist = new URL('../dist/', import.meta.url)
const manifest = JSON.parse(await readFile(new URL('.vite/manifest.json', dist), 'utf8')) as Record<string, Chunk>

/** A chunk's files, with those that it cannot do without. */
function filesOf(name: string, known = new Set<string>()): Set<string> {
  const chunk = manifest[name]
  if (!chunk || known.has(chunk.file)) return known
  known.add(chunk.file)
  for (const css of chunk.css ?? []) known.add(css)
  for (const each of chunk.imports ?? []) filesOf(each, known)
  return known
}

const files = new Set([
  'index.html',
  'theme.js',
  'favicon.svg',
  ...filesOf('index.html'),
  ...filesOf('src/pages/dashboard.tsx'),
])
const total = { plain: 0, gzip: 0, brotli: 0 }

for (const file of files) {
  const bytes = await readFile(new URL(file, dist))
  const sizes = {
    plain: bytes.length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    brotli: brotliCompressSync(bytes).length,
  }
  total.plain += sizes.plain
  total.gzip += sizes.gzip
  total.brotli += sizes.brotli
  print(file, sizes)
}
print('first load', total)

if (total.gzip > BUDGET) {
  console.error(`The first load may weigh ${BUDGET / 1024} KB compressed.`)
  process.exit(1)
}

function print(name: string, { plain, gzip, brotli }: typeof total): void {
  const kilobytes = [plain, gzip, brotli].map((size) => `${(size / 1024).toFixed(1)} KB`.padStart(10))
  console.log(`${name.padEnd(44)}${kilobytes.join('')}`)
}
