/** `node transpile.mjs models.ts models.mjs`: TypeScript, decorators with their types included, to JavaScript. */

import { readFileSync, writeFileSync } from "node:fs";
import ts from "typescript";

const [source, target] = process.argv.slice(2);
const { outputText, diagnostics } = ts.transpileModule(readFileSync(source, "utf8"), {
  fileName: source,
  reportDiagnostics: true,
  compilerOptions: {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    useDefineForClassFields: false,
  },
});
if (diagnostics.length) {
  console.error(
    ts.formatDiagnostics(diagnostics, {
      getCurrentDirectory: process.cwd,
      getNewLine: () => "\n",
      getCanonicalFileName: (name) => name,
    }),
  );
  process.exit(1);
}
writeFileSync(target, outputText);
