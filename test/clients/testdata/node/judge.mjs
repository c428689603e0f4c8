// Judges values by schemas of an OpenAPI document with Ajv.
//
//	node judge.mjs openapi.json < cases > verdicts
//
// It first compiles every schema of the document. Then it reads a case from each line,
// {"schema": pointer, "text": JSON}, and writes a verdict for each: null if the text is
// valid, and else what is wrong with it.
import { readFileSync } from "node:fs";
import Ajv2020 from "ajv/dist/2020.js";
import addFormats from "ajv-formats";

const document = JSON.parse(readFileSync(process.argv[2], "utf8"));
const ajv = new Ajv2020({ strict: true });
addFormats(ajv);
ajv.addVocabulary(Object.keys(document)); // which are no keywords of schemas; strict mode refuses unknown ones
ajv.addSchema(document, "openapi.json");

const validators = new Map();
const validator = (pointer) => {
  if (!validators.has(pointer)) {
    validators.set(pointer, ajv.compile({ $ref: "openapi.json" + pointer }));
  }
  return validators.get(pointer);
};

const escape = (step) => encodeURIComponent(step.replaceAll("~", "~0").replaceAll("/", "~1"));

// walk compiles what is below a member named schema or schemas, and checks the examples
// of a schema by it.
const walk = (value, pointer) => {
  if (value === null || typeof value !== "object") return;
  for (const [name, member] of Object.entries(value)) {
    const below = `${pointer}/${escape(name)}`;
    if (name === "schema" || pointer === "#/components/schemas") {
      const validate = validator(below);
      for (const example of member.examples ?? []) {
        if (!validate(example)) throw new Error(`${below}: example: ${ajv.errorsText(validate.errors)}`);
      }
    }
    if (name !== "examples") walk(member, below);
  }
};
walk(document, "#");

for (const line of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const { schema, text } = JSON.parse(line);
  const validate = validator(schema);
  const valid = validate(JSON.parse(text));
  console.log(JSON.stringify(valid ? null : ajv.errorsText(validate.errors)));
}
