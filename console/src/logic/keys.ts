/** Keys that make a request harmless when it is sent twice. Also beyond https, where `randomUUID` is missing. */

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
