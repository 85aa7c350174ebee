// What Prisma's own parser and validator say of many schemas at once.
// node prisma_each.mjs FILE  with FILE a JSON list of texts; prints a JSON list: [] for a schema that it takes,
// else the lines (from 1) that its errors point at, each with its message; null where the engine itself breaks.
import fs from 'node:fs'
import { createRequire } from 'node:module'

const schema = createRequire(import.meta.url)('@prisma/prisma-schema-wasm')
globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: () => {} }
const plain = (text) => text.replace(/\u001b\[[\d;]*m/g, '')

function faults(text) {
  try {
    schema.validate(JSON.stringify({ prismaSchema: [['schema.prisma', text]] }))
    return []
  } catch (error) {
    if (error instanceof WebAssembly.RuntimeError) return null
    const message = plain(JSON.parse(error.message).message)
    const found = [...message.matchAll(/error: (.*?)\n\s*-->\s+[^\n]*?:(\d+)\n/gs)]
    return found.map(([, said, line]) => [Number(line), said])
  }
}

const texts = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'))
console.log(JSON.stringify(texts.map(faults)))
