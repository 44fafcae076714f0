/** The mock inside Vite's development server. */

import type { Plugin } from 'vite'

import { answer } from './api.ts'

export function mockApi(): Plugin {
  return {
    name: 'muster:mock',
    configureServer: (server) => {
      server.middlewares.use((request, response, next) => {
        answer(request, response).then((done) => {
          if (!done) next()
        }, next)
      })
    },
  }
}
