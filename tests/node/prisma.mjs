// Prisma's own engines, without a binary and without a database.
// node prisma.mjs validate|format|ddl|dmmf FILE…  prints one JSON object: {ok, text}.
// node prisma.mjs each FILE…  takes every file for a schema of its own and prints the DDL of each: [{ok, text}, …].
import fs from 'node:fs'
import { createRequire } from 'node:module'

const schema = createRequire(import.meta.url)('@prisma/prisma-schema-wasm')
const ENGINE = new URL('./node_modules/@prisma/schema-engine-wasm/', import.meta.url)

// The engine asks its server this much before it writes DDL. It knows no other servers than these and SQLite.
const reply = (version, number) => ({
  columnNames: ['exists', 'version', 'numeric_version'],
  columnTypes: [5, 7, 0],
  rows: [[true, version, number]],
})
const REPLIES = { postgresql: reply('PostgreSQL 18.6', 180006), cockroachdb: reply('CockroachDB CCL v25.1.0', 130000) }

let panic = ''
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (text) => { panic = text } }

let compiled = null
let instances = 0

async function engine() {
  // The bindings remember the memory of their engine, so each engine has bindings of its own.
  const bindings = await import(new URL(`schema_engine_bg.js?${instances++}`, ENGINE))
  compiled ??= new WebAssembly.Module(fs.readFileSync(new URL('schema_engine_bg.wasm', ENGINE)))
  const instance = new WebAssembly.Instance(compiled, { './schema_engine_bg.js': bindings })
  bindings.__wbg_set_wasm(instance.exports)
  instance.exports.__wbindgen_start()
  return bindings.SchemaEngine
}

function provider(files) {
  const asked = { prismaSchema: files, datasourceOverrides: {}, ignoreEnvVarErrors: true, env: {} }
  return JSON.parse(schema.get_config(JSON.stringify(asked))).config.datasources[0].activeProvider
}

function adapter(name) {
  const kind = { provider: name === 'sqlite' ? 'sqlite' : 'postgres', adapterName: 'none' }
  const ok = (value) => ({ ok: true, value })
  const never = async () => ({ ok: false, error: { kind: 'GenericJs', id: 0 } })
  const silent = {
    ...kind,
    queryRaw: async () => (REPLIES[name] ? ok(REPLIES[name]) : never()),
    executeRaw: async () => (REPLIES[name] ? ok(0) : never()), // CockroachDB is told a setting first
    executeScript: never,
    startTransaction: never,
    getConnectionInfo: () => ok({ schemaName: 'public', supportsRelationJoins: true }),
    dispose: async () => ok(undefined),
  }
  const connect = async () => ok(silent)
  return { ...kind, connect, connectToShadowDb: connect }
}

async function ddl(files) {
  const name = provider(files).replace(/^postgres$/, 'postgresql')
  if (!['postgresql', 'cockroachdb', 'sqlite'].includes(name)) throw new Error(`the engine writes no DDL for ${name}`)
  const made = await (await engine()).new({ datamodels: files }, () => {}, adapter(name))
  const to = { tag: 'schemaDatamodel', files: files.map(([path, content]) => ({ path, content })), configDir: '.' }
  const filters = { externalTables: [], externalEnums: [] }
  const asked = { from: { tag: 'empty' }, to, script: true, shadowDatabaseUrl: null, exitCode: null, filters }
  return (await made.diff(asked)).stdout
}

const format = (files) => {
  const options = { textDocument: { uri: 'file:/schema.prisma' }, options: { tabSize: 2, insertSpaces: true } }
  return JSON.parse(schema.format(JSON.stringify(files), JSON.stringify(options)))[0][1]
}
const VERBS = {
  validate: (files) => schema.validate(JSON.stringify({ prismaSchema: files })) ?? '',
  dmmf: (files) => schema.get_dmmf(JSON.stringify({ prismaSchema: files })),
  format,
  ddl,
}

const [verb, ...paths] = process.argv.slice(2)
const plain = (text) => text.replace(/\u001b\[[\d;]*m/g, '')
const read = (path) => [path, fs.readFileSync(path, 'utf8')]

async function answer(verb, files) {
  panic = ''
  try {
    return { ok: true, text: await VERBS[verb](files) }
  } catch (error) {
    return { ok: false, text: plain(panic || String(error?.message ?? error)) }
  }
}

const EACH = { each: 'ddl', formats: 'format' }
if (verb in EACH) {
  const answers = []
  for (const path of paths) answers.push(await answer(EACH[verb], [read(path)]))
  console.log(JSON.stringify(answers))
} else {
  console.log(JSON.stringify(await answer(verb, paths.map(read))))
}
