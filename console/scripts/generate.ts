/** Makes `src/api/schema.d.ts` from `../schemas/openapi.json`; with `--check` only sees whether it is fresh. */

import { readFile, writeFile } from 'node:fs/promises'

import openapi, { astToString } from 'openapi-typescript'

const OUT = new URL('../src/api/schema.d.ts', import.meta.url)
const SCHEMA = new URL('../../schemas/openapi.json', import.meta.url)

// A field with a default may be left out; an object with any members holds what nobody knows.
const OPTIONS = { defaultNonNullable: false, emptyObjectsUnknown: true }

const made = `// Made by \`npm run generate\` from schemas/openapi.json.\n\n${astToString(await openapi(SCHEMA, OPTIONS))}`

if (process.argv.includes('--check')) {
  const found = await readFile(OUT, 'utf8').catch(() => '')
  if (found !== made) {
    console.error('src/api/schema.d.ts is not what ../schemas/openapi.json makes: npm run generate')
    process.exit(1)
  }
} else {
  await writeFile(OUT, made)
}
