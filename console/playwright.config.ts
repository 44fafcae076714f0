/**
 * Tests in a real Chromium, by role and label only.
 *
 * `mock` runs the built console, sent with its content security policy, on the mock server.
 * `real` runs against a server with agents that somebody else has started: MUSTER_URL=https://… npx playwright test --project real
 */

import { defineConfig } from '@playwright/test'

const PORT = 4181
const real = process.env.MUSTER_URL

export default defineConfig({
  testDir: 'tests',
  timeout: 60_000,
  expect: { timeout: 10_000 },
  // A test that fails once has failed.
  retries: 0,
  workers: 2,
  fullyParallel: true,
  reporter: 'list',
  use: {
    viewport: { width: 1280, height: 800 },
    launchOptions: {
      executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    },
  },
  projects: [
    { name: 'mock', testDir: 'tests/mock', use: { baseURL: `http://127.0.0.1:${PORT}` } },
    {
      name: 'real',
      testDir: 'tests/real',
      // One world for all of them, in the order of their files.
      fullyParallel: false,
      workers: 1,
      timeout: 120_000,
      expect: { timeout: 20_000 },
      use: { baseURL: real, actionTimeout: 15_000 },
    },
  ],
  webServer: real
    ? undefined
    : {
        command: 'node --import tsx mock/serve.ts',
        env: { PORT: String(PORT) },
        url: `http://127.0.0.1:${PORT}/`,
        reuseExistingServer: false,
      },
})
