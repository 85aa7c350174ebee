// What TypeScript's own tools say of files.
// node typescript.mjs format FILE…  prints {file: text as prettier writes it}
// node typescript.mjs types FILE…   prints the errors of tsc --strict, one a line
import fs from 'node:fs'
import { fileURLToPath } from 'node:url'
import path from 'node:path'

const [verb, ...files] = process.argv.slice(2)

async function format() {
  const prettier = await import('prettier')
  const written = {}
  for (const file of files) {
    try {
      written[file] = await prettier.format(fs.readFileSync(file, 'utf8'), { parser: 'typescript' })
    } catch (error) {
      written[file] = String(error.message)
    }
  }
  return JSON.stringify(written)
}

async function types() {
  const ts = (await import('typescript')).default
  const modules = path.join(path.dirname(fileURLToPath(import.meta.url)), 'node_modules')
  const options = {
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    experimentalDecorators: true,
    noUnusedLocals: true,
    isolatedModules: true,
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ES2022,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    types: [],
    baseUrl: modules,
    paths: { '*': ['*'] },
  }
  const program = ts.createProgram(files, options)
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file, start, messageText }) => {
      const place = file ? `${path.basename(file.fileName)}:${file.getLineAndCharacterOfPosition(start).line + 1} ` : ''
      return place + ts.flattenDiagnosticMessageText(messageText, '\n  ')
    })
    .join('\n')
}

process.stdout.write(await { format, types }[verb]())
