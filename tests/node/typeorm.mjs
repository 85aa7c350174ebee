// What TypeORM makes of entity files on empty databases, many in one process.
// node typeorm.mjs JOBS  where JOBS is a JSON file: [{file, options: {…of a DataSource}}]
// prints [{ok, text, again}]: again are the statements that it would run a second time
import 'reflect-metadata'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { transformSync } from 'esbuild'

const require = createRequire(import.meta.url)
const { DataSource } = require('typeorm')
const tsconfigRaw = { compilerOptions: { experimentalDecorators: true, useDefineForClassFields: false } }

function load(file) {
  const { code } = transformSync(fs.readFileSync(file, 'utf8'), { loader: 'ts', format: 'cjs', tsconfigRaw })
  const module = { exports: {} }
  new Function('require', 'module', 'exports', code)(require, module, module.exports)
  return Object.values(module.exports).filter((exported) => typeof exported === 'function')
}

async function create({ file, options }) {
  let source
  try {
    source = new DataSource({ ...options, entities: load(file), installExtensions: false })
    await source.initialize()
    await source.synchronize()
    const { upQueries } = await source.driver.createSchemaBuilder().log()
    return { ok: true, text: '', again: upQueries.map(({ query }) => query) }
  } catch (error) {
    return { ok: false, text: String(error?.stack ?? error), again: [] }
  } finally {
    if (source?.isInitialized) await source.destroy()
  }
}

const jobs = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
console.log(JSON.stringify(await Promise.all(jobs.map(create))))
