/** `node types.mjs probed.ts`: prints the types of `one` and of `decimal` as TypeScript infers them, and its errors. */

import ts from "typescript";

const program = ts.createProgram([process.argv[2]], {
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.ESNext,
  moduleResolution: ts.ModuleResolutionKind.Bundler,
  strict: true,
  experimentalDecorators: true,
  skipLibCheck: true,
  noEmit: true,
  types: [],
});
const source = program.getSourceFile(process.argv[2]);
const checker = program.getTypeChecker();
const found = {};
for (const statement of source.statements.filter(ts.isVariableStatement))
  for (const { name } of statement.declarationList.declarations)
    found[name.text] = checker.typeToString(checker.getTypeAtLocation(name));
const errors = program.getSemanticDiagnostics(source);
const said = errors.map((one) => ts.flattenDiagnosticMessageText(one.messageText, " "));
process.stdout.write(JSON.stringify({ one: found.one, decimal: found.decimal, errors: said }));
