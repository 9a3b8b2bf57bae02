'use strict'
// usage: node action.js VALIDATORS, from the root of the tree
//
// The files that other services read: the action against GitHub's schema for actions, the hooks against what pre-commit
// asks for; and that no input of a stranger is pasted into a shell command.
const fs = require('fs')
const path = require('path')
const { createRequire } = require('module')

const need = createRequire(path.join(process.argv[2], 'package.json'))
const yaml = need('yaml')
const { validateAction } = need('@action-validator/core')

let failed = 0
function expect(holds, sentence) {
  if (!holds) console.log(`FAILED ${sentence}`)
  failed += holds ? 0 : 1
}

function checkAction(folder) {
  const text = fs.readFileSync(path.join(folder, 'action.yml'), 'utf8')
  const action = yaml.parse(text)
  const { errors } = validateAction(text)
  expect(errors.length === 0, `action.yml against the schema: ${JSON.stringify(errors)}`)
  expect(validateAction(text.replace('using: composite', 'using: compost')).errors.length > 0, 'the schema refuses a broken action')
  for (const [, name] of text.matchAll(/inputs\.([a-z-]+)/g)) expect(action.inputs[name], `the input ${name} is declared`)
  for (const name of Object.keys(action.inputs)) expect(text.includes(`inputs.${name}`), `the input ${name} is used`)
  for (const step of action.runs.steps) {
    expect(!/\$\{\{/.test(step.run || ''), `"${step.name}" pastes an expression into a shell command`)
    for (const [, program] of (step.run || '').matchAll(/GITHUB_ACTION_PATH\/([a-z-]+)/g))
      expect((fs.statSync(path.join(folder, program)).mode & 0o111) === 0o111, `${program} is there and may be run`)
  }
}

function checkHooks() {
  const hooks = yaml.parse(fs.readFileSync('.pre-commit-hooks.yaml', 'utf8'))
  for (const hook of hooks) {
    for (const key of ['id', 'name', 'entry', 'language']) expect(hook[key], `the hook ${hook.id} has ${key}`)
    const files = new RegExp(hook.files)
    expect(files.test('profiles/minecraft.toml') && files.test('etc/profiles/groups/file.toml'), `${hook.id} takes profiles`)
    expect(!files.test('Cargo.toml') && !files.test('profiles/README.md'), `${hook.id} takes profiles only`)
  }
}

checkAction('integrations/github')
checkHooks()
console.log(failed ? `${failed} faults in action.yml and .pre-commit-hooks.yaml` : 'action.yml and .pre-commit-hooks.yaml are in order')
process.exit(failed ? 1 : 0)
