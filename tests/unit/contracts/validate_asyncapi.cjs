// Reads an AsyncAPI document from stdin and writes what the parser finds wrong with it, as JSON.
const { readFileSync } = require("node:fs");
const { Parser } = require("@asyncapi/parser");

new Parser().parse(readFileSync(0, "utf8")).then(({ document, diagnostics }) => {
  const found = diagnostics.map(({ severity, code, message, path }) => ({ severity, code, message, path }));
  console.log(JSON.stringify({ parsed: document !== undefined, diagnostics: found }));
});
