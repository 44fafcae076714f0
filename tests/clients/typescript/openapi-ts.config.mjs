// What @hey-api/openapi-ts makes: functions over `fetch`, in modules that Node.js finds by their whole names.
export default {
  input: './openapi.json',
  output: { path: './muster-client', module: { extension: '.js' } },
  plugins: ['@hey-api/client-fetch', '@hey-api/sdk', '@hey-api/typescript'],
}
