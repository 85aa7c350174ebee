// What DBML's own parser reads in files, and the SQL that its own exporter makes of them, many in one process.
// node dbml.mjs postgres|mysql FILE…  prints {file: {ok, model, sql} or {ok, text}}
import fs from 'node:fs'
import { createRequire } from 'node:module'

const { ModelExporter, Parser } = createRequire(import.meta.url)('@dbml/core')
const [server, ...files] = process.argv.slice(2)

function read(file) {
  const database = new Parser().parse(fs.readFileSync(file, 'utf8'), 'dbmlv2')
  const plain = database.normalize()
  const checks = Object.values(plain.checks).map(({ tableId, name, expression }) => {
    const { name: table, schemaId } = plain.tables[tableId]
    return { schema: plain.schemas[schemaId].name, table, name, expression } // which export() leaves out
  })
  return { ok: true, model: { ...database.export(), checks }, sql: ModelExporter.export(plain, server) }
}

const answers = {}
for (const file of files) {
  try {
    answers[file] = read(file)
  } catch (error) {
    answers[file] = { ok: false, text: JSON.stringify(error.diags ?? String(error?.stack ?? error)) }
  }
}
process.stdout.write(JSON.stringify(answers))
