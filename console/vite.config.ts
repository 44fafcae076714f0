import react from '@vitejs/plugin-react'
import { defineConfig, type Plugin } from 'vite'

import { compressed } from './scripts/compressed.ts'

/** The mock answers in the same process unless `MUSTER_URL` names a real server. */
async function api(): Promise<Plugin | null> {
  if (process.env.MUSTER_URL) return null
  const { mockApi } = await import('./mock/plugin.ts')
  return mockApi()
}

export default defineConfig(({ command }) => ({
  plugins: [react(), compressed(), command === 'serve' ? api() : null],
  build: {
    target: 'es2023',
    manifest: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 250,
  },
  server: process.env.MUSTER_URL
    ? { proxy: { '/api': { target: process.env.MUSTER_URL, changeOrigin: true, secure: false } } }
    : {},
}))
