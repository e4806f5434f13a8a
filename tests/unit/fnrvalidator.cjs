// Reads a JSON list of numbers from stdin and writes what NAV's validator says of each, as JSON.
const { readFileSync } = require("node:fs");
const { idnr } = require("@navikt/fnrvalidator");

console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((number) => idnr(number))));
