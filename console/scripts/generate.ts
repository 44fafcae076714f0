/**
 * Makes what stands below `src/api` from `../schemas/openapi.json`: the types, and lists of words that only a type would know.
 * With `--check` only sees whether they are fresh.
 */

import { readFile, writeFile } from 'node:fs/promises'

import openapi, { astToString } from 'openapi-typescript'

const SCHEMA = new URL('../../schemas/openapi.json', import.meta.url)
const HEAD = '// Made by `npm run generate` from schemas/openapi.json.\n\n'

// A field with a default may be left out; an object with any members holds what nobody knows.
const OPTIONS = { defaultNonNullable: false, emptyObjectsUnknown: true }

interface Words {
  enum: string[]
}

interface Document {
  components: { schemas: { JobState: Words; JobView: { properties: { kind: Words } } } }
}

function listed(name: string, type: string, words: string[]) {
  return `export const ${name}: Job['${type}'][] = [\n${words.map((word) => `  '${word}',\n`).join('')}]\n`
}

async function wordLists() {
  const { JobState, JobView } = (JSON.parse(await readFile(SCHEMA, 'utf8')) as Document).components.schemas
  const lists = [
    listed('JOB_KINDS', 'kind', JobView.properties.kind.enum),
    listed('JOB_STATES', 'state', JobState.enum),
  ]
  return ["import type { Job } from './nouns'\n", ...lists].join('\n')
}

const made = {
  'schema.d.ts': HEAD + astToString(await openapi(SCHEMA, OPTIONS)),
  'words.ts': HEAD + (await wordLists()),
}

for (const [name, text] of Object.entries(made)) {
  const out = new URL(`../src/api/${name}`, import.meta.url)
  if (!process.argv.includes('--check')) {
    await writeFile(out, text)
  } else if ((await readFile(out, 'utf8').catch(() => '')) !== text) {
    console.error(`src/api/${name} is not what ../schemas/openapi.json makes: npm run generate`)
    process.exit(1)
  }
}
