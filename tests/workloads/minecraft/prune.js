'use strict'
// usage: node prune.js NODE_MODULES VERSION...
//
// minecraft-data holds every version of both editions, nine tenths of what npm brings. Its index asks for a file
// only when a version is used, so what VERSION... never use can go.
const fs = require('fs')
const path = require('path')

const [modules, ...versions] = process.argv.slice(2)
versions.push('1.13.2') // prismarine-chunk reads it to learn the oldest numbering
const data = path.join(modules, 'minecraft-data', 'minecraft-data', 'data')
const places = JSON.parse(fs.readFileSync(path.join(data, 'dataPaths.json'), 'utf8')).pc

const kept = new Set(['pc/common', 'bedrock/common'])
for (const version of versions) {
  if (!places[version]) throw new Error(`minecraft-data knows no version ${version}`)
  for (const folder of Object.values(places[version])) kept.add(folder)
}

for (const edition of ['pc', 'bedrock']) {
  for (const folder of fs.readdirSync(path.join(data, edition))) {
    if (!kept.has(`${edition}/${folder}`)) fs.rmSync(path.join(data, edition, folder), { recursive: true })
  }
}
