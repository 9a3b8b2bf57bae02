'use strict'
// usage: node validate.js VALIDATORS FILE..., from the root of the tree; the name ends in the format: SET.FORMAT
//
// Each file against the schema of those who read it, and against what their documents ask for beyond it. XML is
// xmllint's, and SARIF also Microsoft's multitool's: see run.
const fs = require('fs')
const path = require('path')
const { createRequire } = require('module')

const [validators, ...files] = process.argv.slice(2)
const need = createRequire(path.join(validators, 'package.json'))
const addFormats = need('ajv-formats')

let failed = 0
function expect(holds, sentence) {
  if (!holds) console.log(`FAILED ${sentence}`)
  failed += holds ? 0 : 1
}

function schema(file, Ajv, options) {
  const ajv = addFormats(new Ajv({ allErrors: true, ...options }))
  const validate = ajv.compile(JSON.parse(fs.readFileSync(file, 'utf8')))
  return value => (validate(value) ? [] : validate.errors.map(error => `${error.instancePath || '/'} ${error.message}`))
}

const findingsSchema = schema('docs/findings.schema.json', need('ajv/dist/2020'), { strict: true, strictRequired: false, allowUnionTypes: true })
const gitlabSchema = schema('tests/formats/gitlab-code-quality.schema.json', need('ajv'), { strict: true })
const sarifSchema = schema(
  path.join(validators, 'node_modules/@microsoft/sarif-multitool-linux/sarif-2.1.0.json'), need('ajv/dist/2020'), { strict: false })

const unique = list => new Set(list).size === list.length

function checkSarif(text, name) {
  const log = JSON.parse(text)
  for (const error of sarifSchema(log)) expect(false, `${name}: ${error}`)
  const scanned = name.startsWith('scanned-')
  for (const run of log.runs) {
    const { rules } = run.tool.driver
    expect(unique(rules.map(rule => rule.id)), `${name}: each rule stands once`)
    for (const rule of rules) {
      const texts = [rule.shortDescription.text, rule.fullDescription.text, rule.help.text, rule.help.markdown]
      expect(texts.every(words => words.trim().length > 1 && words.length <= 1024), `${name}: the texts of ${rule.id}`)
      expect(rule.id.length <= 255, `${name}: the length of ${rule.id}`)
      const score = rule.properties['security-severity']
      expect(score === undefined || (Number(score) > 0 && Number(score) <= 10), `${name}: the score of ${rule.id}`)
    }
    const known = new Set(rules.map(rule => rule.id))
    const prints = run.results.map(result => result.partialFingerprints.primaryLocationLineHash)
    expect(unique(prints), `${name}: fingerprints are unique`)
    for (const result of run.results) {
      expect(known.has(result.ruleId), `${name}: a rule for ${result.ruleId}`)
      expect(result.message.text.trim().length > 0, `${name}: a message`)
      if (!scanned) continue
      const place = result.locations[0].physicalLocation
      expect(place && place.artifactLocation.uri, `${name}: a file for each result`)
      expect(place && place.region.endLine >= place.region.startLine, `${name}: a region for each result`)
      expect(result.suppressions === undefined, `${name}: nothing waived for code scanning`)
    }
    if (scanned) expect(run.results.length <= 5000 && rules.length <= 25000, `${name}: the limits of code scanning`)
  }
}

function checkGitlab(text, name) {
  const issues = JSON.parse(text)
  for (const error of gitlabSchema(issues)) expect(false, `${name}: ${error}`)
  expect(unique(issues.map(issue => issue.fingerprint)), `${name}: fingerprints are unique`)
}

// ::error file=...,line=1,col=1,title=...::message
const COMMAND = /^::(error|warning|notice) ([^:]*)::(.+)$/
function checkGithub(text, name) {
  const counts = { error: 0, warning: 0, notice: 0 }
  for (const line of text.split('\n')) {
    expect(!/[\r\x00-\x08\x0b-\x1f]/.test(line), `${name}: a control character in ${JSON.stringify(line)}`)
    if (!line.startsWith('::')) continue
    const [, kind, properties] = line.match(COMMAND) || []
    expect(kind, `${name}: not a workflow command: ${line}`)
    if (!kind) continue
    counts[kind]++
    const pairs = properties.split(',').map(pair => pair.split(/=(.*)/))
    const ofGithub = ['title', 'file', 'line', 'endLine', 'col', 'endColumn']
    expect(pairs.every(([key, value]) => ofGithub.includes(key) && value) && unique(pairs.map(pair => pair[0])), `${name}: ${line}`)
  }
  for (const [kind, count] of Object.entries(counts)) expect(count <= 10, `${name}: ${count} of kind ${kind}, 10 are shown`)
}

// Prometheus, "exposition formats": a metric has HELP and TYPE in front, its samples stand together, each once.
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(\{(?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\n"])*",?)*\})? (-?[0-9.e+]+|NaN|[+-]Inf)$/
function checkPrometheus(text, name) {
  expect(text.endsWith('\n'), `${name}: ends with a newline`)
  let family = ''
  const typed = new Set()
  const seen = new Set()
  for (const line of text.split('\n').slice(0, -1)) {
    const [, comment, metric] = line.match(/^# (HELP|TYPE) ([a-zA-Z_:][a-zA-Z0-9_:]*) \S/) || []
    if (comment === 'TYPE') expect(!typed.has(metric), `${name}: ${metric} stands in two places`)
    if (comment === 'TYPE') typed.add((family = metric))
    if (comment) continue
    const [, sample, labels] = line.match(SAMPLE) || []
    expect(sample, `${name}: no sample: ${JSON.stringify(line)}`)
    expect(sample === family, `${name}: ${sample} stands outside its family`)
    expect(!seen.has(sample + labels), `${name}: twice: ${sample}${labels}`)
    seen.add(sample + labels)
  }
}

function checkMarkdown(text, name) {
  expect(/^<!-- guard [a-z]+ -->\n### guard: /.test(text), `${name}: the marker, then the verdict`)
  const rows = text.split('\n').filter(line => line.startsWith('|'))
  const cells = row => row.replace(/\\./g, '').split('|').length
  expect(rows.every(row => cells(row) === cells(rows[0])), `${name}: each row has the cells of its heading`)
}

function checkJson(text, name) {
  for (const error of findingsSchema(JSON.parse(text))) expect(false, `${name}: ${error}`)
}

const checks = {
  sarif: checkSarif, gitlab: checkGitlab, github: checkGithub, prometheus: checkPrometheus, markdown: checkMarkdown, json: checkJson,
  junit: () => {} // xmllint's
}
for (const file of files) {
  const [name, format] = path.basename(file).split('.')
  expect(checks[format], `${file}: no validator for ${format}`)
  if (checks[format]) checks[format](fs.readFileSync(file, 'utf8'), `${name}.${format}`)
}
expect(files.length > 0, 'no file to validate')
expect(gitlabSchema([{}]).length > 0 && sarifSchema({ version: '2.0' }).length > 0 && findingsSchema({}).length > 0, 'the schemas refuse what is broken')
if (!failed) console.log(`${files.length} files are as their readers want them`)
process.exit(failed ? 1 : 0)
