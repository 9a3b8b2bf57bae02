'use strict'
// usage: node validate.js VALIDATORS PROFILE_SCHEMA GROUP_SCHEMA, from the root of the tree
const fs = require('fs')
const path = require('path')
const { createRequire } = require('module')

const [validators, profileSchema, groupSchema] = process.argv.slice(2)
const need = createRequire(path.join(validators, 'package.json'))
const Ajv = need('ajv')
const addFormats = need('ajv-formats')
const toml = need('smol-toml')

function compile(file) {
  // strict: an unknown keyword or format in the schema is a fault of the schema.
  const ajv = addFormats(new Ajv({ strict: true, allErrors: true }))
  return ajv.compile(JSON.parse(fs.readFileSync(file, 'utf8')))
}

function tomlFiles(folder) {
  return fs.readdirSync(folder).filter(name => name.endsWith('.toml')).sort().map(name => path.join(folder, name))
}

/// Why the file does not pass, in one line; empty where it does.
function refusal(validate, file) {
  let value
  try {
    // Dates become text, as editors hand them to a validator.
    value = JSON.parse(JSON.stringify(toml.parse(fs.readFileSync(file, 'utf8'))))
  } catch (error) {
    return `no TOML: ${error.message.split('\n')[0]}`
  }
  if (validate(value)) return ''
  return validate.errors.map(error => `${error.instancePath || '/'} ${error.message}`).join('; ')
}

/// The fixtures that are broken in a way that no schema can see: "name: why".
function beyondSchemas() {
  const lines = fs.readFileSync('tests/schema/beyond-a-schema', 'utf8').split('\n')
  const rows = lines.filter(line => line && !line.startsWith('#')).map(line => line.split(/: (.*)/))
  return new Map(rows.map(([name, why]) => [name, why]))
}

let failed = 0
function fail(sentence) {
  console.log(`FAILED ${sentence}`)
  failed++
}

function expectAllValid(what, validate, folders) {
  const files = folders.flatMap(tomlFiles)
  if (!files.length) fail(`no ${what} in ${folders.join(', ')}`)
  for (const file of files) {
    const why = refusal(validate, file)
    if (why) fail(`${file}: ${why}`)
  }
  console.log(`${files.length} ${what} are valid (${folders.join(', ')})`)
}

function expectAllRefused(validate, folder) {
  const beyond = beyondSchemas()
  let refused = 0
  for (const file of tomlFiles(folder)) {
    const name = path.basename(file, '.toml')
    const why = refusal(validate, file)
    const listed = beyond.has(name)
    beyond.delete(name)
    if (why) refused++
    if (why && listed) fail(`${file}: tests/schema/beyond-a-schema says no schema can see it, but: ${why}`)
    if (!why && !listed) fail(`${file}: the schema lets it through, and tests/schema/beyond-a-schema does not say why`)
  }
  for (const name of beyond.keys()) fail(`tests/schema/beyond-a-schema names ${name}, which is not there`)
  console.log(`${refused} broken profiles are refused, ${beyondSchemas().size} are broken in ways no schema sees`)
}

const profile = compile(profileSchema)
const group = compile(groupSchema)
expectAllValid('profiles', profile, ['profiles', 'tests/fixtures/language'])
expectAllValid('groups', group, ['profiles/groups', 'tests/fixtures/language/groups'])
expectAllRefused(profile, 'tests/fixtures/broken')
process.exit(failed ? 1 : 0)
