'use strict'
// The server of the demo: a flat world, no account check, told by MINECRAFT_VERSION which protocol it speaks.
// It runs in its data directory and writes only there: world/VERSION and logs/.
const fs = require('fs')
const flyingSquid = require('flying-squid')

const version = process.env.MINECRAFT_VERSION || fs.readFileSync('version', 'utf8').trim()

// The log plugin appends to logs/ before it has made the folder.
fs.mkdirSync('logs', { recursive: true })

// The log plugin would end the process at a SIGTERM in the middle of a write.
async function take_sigterm (stop) {
  const { default: at_exit } = await import('exit-hook')
  at_exit(() => {}) // its first use installs its listeners
  process.removeAllListeners('SIGTERM')
  process.once('SIGTERM', stop)
}

// The world's own saveNow forgets a block that changes while the same chunk is being written: here the queue is
// emptied before the writes, which go one after the other.
function save_all_changes (world) {
  let written = Promise.resolve()
  world.saveNow = () => {
    for (const [key, { chunkX, chunkZ }] of world.savingQueue) {
      const column = world.columns[key]
      if (column) written = written.then(() => world.storageProvider.save(chunkX, chunkZ, column))
    }
    world.savingQueue.clear()
    return written
  }
}

const settings = {
  version,
  motd: 'A Server',
  port: 25565,
  host: '0.0.0.0',
  'max-players': 20,
  'online-mode': false, // an account check needs Mojang's servers
  logging: true,
  gameMode: 1,
  difficulty: 0,
  worldFolder: 'world/' + version, // the format of a world differs between versions
  generation: { name: 'superflat', options: { worldHeight: 80 } },
  kickTimeout: 10000,
  plugins: {},
  modpe: false,
  'view-distance': 4,
  'player-list-text': { header: { text: 'guard' }, footer: { text: version } },
  'everybody-op': false,
  'max-entities': 100
}

async function main () {
  let server
  await take_sigterm(async () => {
    await Promise.all(server.players.map((player) => player.save()))
    await server.overworld.saveNow()
    console.log('World saved')
    process.exit(128 + 15)
  })
  server = flyingSquid.createMCServer(settings)
  server.on('ready', () => {
    save_all_changes(server.overworld)
    console.log(`Done! ${version}, node ${process.version}`)
  })
}

main()
