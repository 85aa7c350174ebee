// What a mongosh script asks of its database, and whether conditions hold of documents, by an engine that speaks them.
// node mongodb.mjs calls FILE…   prints {file: {ok, calls: [[method, …arguments]]} or {ok, text}}
// node mongodb.mjs holds FILE    reads [{expr or filter, documents}], prints a list of true and false for each
import fs from 'node:fs'
import vm from 'node:vm'
import { createRequire } from 'node:module'

const { Query } = createRequire(import.meta.url)('mingo')
const [verb, ...files] = process.argv.slice(2)

function recording(calls) {
  const collection = (name) => ({ createIndex: (...told) => (calls.push(['createIndex', name, ...told]), name) })
  const own = {
    createCollection: (...told) => calls.push(['createCollection', ...told]),
    createView: (...told) => calls.push(['createView', ...told]),
    getCollection: collection,
    stats: () => {}, // stands for all that a database has already
  }
  return new Proxy(own, { get: (known, name) => (name in known ? known[name] : collection(name)) })
}

function calls(file) {
  try {
    const made = []
    vm.runInNewContext(`'use strict';\n${fs.readFileSync(file, 'utf8')}`, { db: recording(made) }, { filename: file })
    return { ok: true, calls: made }
  } catch (error) {
    return { ok: false, text: String(error?.stack ?? error) }
  }
}

const revived = (_, value) => (value !== null && typeof value === 'object' && '$date' in value ? new Date(value.$date) : value)

function holds({ expr, filter, documents }) {
  const query = new Query(filter ?? { $expr: expr })
  return documents.map((document) => query.test(document))
}

const answer =
  verb === 'calls'
    ? Object.fromEntries(files.map((file) => [file, calls(file)]))
    : JSON.parse(fs.readFileSync(files[0], 'utf8'), revived).map(holds)
process.stdout.write(JSON.stringify(answer))
