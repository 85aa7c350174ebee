// The SQL that drizzle-kit makes of schema files, as `drizzle-kit export` does, many in one process.
// node drizzle.mjs postgresql|mysql|sqlite FILE…  prints {file: {ok, text}}
import fs from 'node:fs'
import { createRequire } from 'node:module'
import { transformSync } from 'esbuild'

const require = createRequire(import.meta.url)
const kit = require('drizzle-kit/api')
const [dialect, ...files] = process.argv.slice(2)
const MAKERS = {
  postgresql: [kit.generateDrizzleJson, kit.generateMigration],
  mysql: [kit.generateMySQLDrizzleJson, kit.generateMySQLMigration],
  sqlite: [kit.generateSQLiteDrizzleJson, kit.generateSQLiteMigration],
}

function load(file) {
  const { code } = transformSync(fs.readFileSync(file, 'utf8'), { loader: 'ts', format: 'cjs' })
  const module = { exports: {} }
  new Function('require', 'module', 'exports', code)(require, module, module.exports)
  return module.exports
}

async function ddl(file) {
  const [snapshot, migration] = MAKERS[dialect]
  return (await migration(await snapshot({}), await snapshot(load(file)))).join('\n')
}

const print = console.log
let said = ''
console.log = console.error = (...words) => { said += words.join(' ') }
process.exit = () => { throw new Error(said) } // what the tool does after a message
const answers = {}
for (const file of files) {
  said = ''
  try {
    answers[file] = { ok: true, text: await ddl(file) }
  } catch (error) {
    answers[file] = { ok: false, text: String(error?.stack ?? error) }
  }
}
print(JSON.stringify(answers))
