/** Idempotency keys. They do not use `randomUUID`, which browsers offer only with https. */

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
