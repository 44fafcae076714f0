/** openapi.json as the mock's law: which route a request meets, what it may say, and what may be answered. */

import { readFileSync } from 'node:fs'

import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'

interface Content {
  content?: Record<string, { schema?: object }>
}

interface Operation {
  requestBody?: Content
  responses: Record<string, Content>
}

interface Document {
  paths: Record<string, Record<string, Operation>>
  components: { schemas: Record<string, object> }
}

const SCHEMAS = new URL('../../schemas/', import.meta.url)

function read(path: string): unknown {
  return JSON.parse(readFileSync(new URL(path, SCHEMAS), 'utf8'))
}

/** A golden sample by its name. */
export function sample<T>(name: string): T {
  return read(`samples/${name}.json`) as T
}

const document = read('openapi.json') as Document

// As a module of the other kind it comes wrapped once more.
const addFormats = formats as unknown as (ajv: Ajv2020) => void
const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats(ajv)
ajv.addSchema({ $id: 'api', components: document.components })

const validators = new Map<object, ValidateFunction>()

function validator(schema: object): ValidateFunction {
  const known = validators.get(schema)
  if (known) return known
  const absolute = JSON.parse(JSON.stringify(schema).replaceAll('"#/components', '"api#/components')) as object
  const made = ajv.compile(absolute)
  validators.set(schema, made)
  return made
}

export interface Route {
  template: string
  operation: Operation
  params: Record<string, string>
}

const templates = Object.keys(document.paths).map((template) => ({
  template,
  pattern: new RegExp(`^${template.replace(/\{(\w+)\}/g, '(?<$1>[^/]+)')}$`),
}))

/** The documented route of a request. */
export function routeOf(method: string, path: string): Route | null {
  for (const { template, pattern } of templates) {
    const found = pattern.exec(path)
    const operation = document.paths[template]?.[method.toLowerCase()]
    if (found && operation) {
      const params = Object.entries(found.groups ?? {}).map(([name, value]) => [name, decodeURIComponent(value)])
      return { template, operation, params: Object.fromEntries(params) as Record<string, string> }
    }
  }
  return null
}

/** What a request's body breaks, or `null`. */
export function faultOfRequest({ operation }: Route, body: unknown): string | null {
  const schema = operation.requestBody?.content?.['application/json']?.schema
  return schema ? faultOf(schema, body) : null
}

/** What an answer breaks, or `null`. The mock must never say what the server could not. */
export function faultOfAnswer({ operation, template }: Route, status: number, body: unknown): string | null {
  const answer = operation.responses[status] ?? operation.responses.default
  if (!answer) return `${template} does not answer ${status}`
  const content = answer.content ?? {}
  const schema = (content['application/json'] ?? content['application/problem+json'])?.schema
  return schema ? faultOf(schema, body) : null
}

function faultOf(schema: object, value: unknown): string | null {
  const validate = validator(schema)
  if (validate(value)) return null
  return (validate.errors ?? []).map((error: ErrorObject) => `${error.instancePath} ${error.message ?? ''}`).join('; ')
}
