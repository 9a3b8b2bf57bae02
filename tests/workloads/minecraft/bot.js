'use strict'
// usage: node bot.js HOST PORT VERSION STATE first|again|busy [SECONDS]
//
// A player. `first` pings, joins, chats, walks, digs a block and notes in STATE where; `again` joins and looks
// whether that block is still gone. One line a step; exit 0 only if every step held. `busy`: four players come
// and go for SECONDS, chat, walk and dig; exit 0 only if every visit held.
const fs = require('fs')
const mineflayer = require('mineflayer')
const protocol = require('minecraft-protocol')
const { Vec3 } = require('vec3')

const [host, port, version, state, run, seconds] = process.argv.slice(2)
const patience = 20000 // milliseconds for each step

const say = (line) => console.log(`bot  ${line}`)
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))

function within (what, promise) {
  let timer
  const late = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`${what}: nothing within ${patience / 1000} s`)), patience)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

function once (bot, event, wanted = () => true) {
  return new Promise((resolve) => {
    const listen = (...values) => {
      if (!wanted(...values)) return
      bot.removeListener(event, listen)
      resolve(values)
    }
    bot.on(event, listen)
  })
}

async function ping () {
  const answer = await protocol.ping({ host, port: Number(port), version })
  say(`ping: ${answer.version.name}, ${answer.players.online} of ${answer.players.max} players`)
}

async function join (username = 'alice') {
  const bot = mineflayer.createBot({ host, port: Number(port), version, username, auth: 'offline' })
  const broken = new Promise((resolve, reject) => {
    bot.on('error', reject)
    bot.on('kicked', (reason) => reject(new Error(`kicked: ${JSON.stringify(reason)}`)))
  })
  await within('join', Promise.race([once(bot, 'spawn'), broken]))
  await within('chunks', Promise.race([bot.waitForChunksToLoad(), broken]))
  say(`joined as ${bot.username} at ${bot.entity.position.floored()}`)
  return bot
}

async function chat (bot, words = 'hello from the home network') {
  const heard = once(bot, 'messagestr', (text) => text.includes(words))
  bot.chat(words)
  await within('chat', heard)
  say(`chatted: "${words}"`)
}

// Into each direction in turn, and over what is in the way: where a crowd has dug, a player comes back into a
// hole.
async function walk (bot) {
  const start = bot.entity.position.clone()
  const far = () => bot.entity.position.distanceTo(start)
  for (let quarter = 0; quarter < 4 && far() < 3; quarter++) {
    await bot.look(quarter * Math.PI / 2, 0, true)
    bot.setControlState('forward', true)
    bot.setControlState('jump', quarter > 0)
    for (let waited = 0; waited < patience / 4 && far() < 3; waited += 50) await pause(50)
    bot.clearControlStates()
  }
  await pause(500)
  if (far() < 2) throw new Error(`walked only ${far().toFixed(1)} m`)
  say(`walked ${far().toFixed(1)} m`)
}

const name = (block) => (block ? block.name : 'nothing loaded')

// The ground beside the feet, wherever there still is some: an earlier game may have dug here, too.
function ground (bot) {
  const around = [[1, 0], [-1, 0], [0, 1], [0, -1], [1, 1], [-1, 1], [1, -1], [-1, -1]]
  const blocks = around.map(([x, z]) => bot.blockAt(bot.entity.position.floored().offset(x, -1, z)))
  const block = blocks.find((candidate) => candidate && candidate.name !== 'air')
  if (!block) throw new Error(`nothing to dig around ${bot.entity.position.floored()}: ${blocks.map(name)}`)
  return block
}

async function dig (bot) {
  const block = ground(bot)
  const place = block.position
  await within('dig', bot.dig(block))
  if (name(bot.blockAt(place)) !== 'air') throw new Error(`${block.name} at ${place} is still there`)
  fs.writeFileSync(state, JSON.stringify({ version, x: place.x, y: place.y, z: place.z, was: block.name }) + '\n')
  say(`dug ${block.name} at ${place}`)
}

async function look (bot) {
  const { x, y, z, was } = JSON.parse(fs.readFileSync(state, 'utf8'))
  const beside = bot.blockAt(new Vec3(x + 1, y, z))
  // The neighbour proves that the chunk is here and is the same ground: air alone could be an empty world.
  if (name(beside) !== was) throw new Error(`beside the hole stands ${name(beside)}, not ${was}`)
  const found = name(bot.blockAt(new Vec3(x, y, z)))
  if (found !== 'air') throw new Error(`the block at (${x}, ${y}, ${z}) is back: ${found}`)
  say(`the block at (${x}, ${y}, ${z}) is still gone`)
}

// One player of a crowd, who stays for some seconds. Where the crowd has dug all ground away there is nothing
// to dig; so there is where a neighbour was faster.
async function visit (username, counts) {
  const bot = await join(username)
  try {
    await chat(bot, `hello from ${username}, visit ${++counts.visits}`)
    await bot.look(Math.random() * 2 * Math.PI, 0)
    bot.setControlState('forward', true)
    await pause(1000 + Math.random() * 2000)
    bot.setControlState('forward', false)
    await pause(500)
    await dig(bot).then(() => ++counts.dug, (error) => say(`${username}: ${error.message}`))
    await pause(Math.random() * 1000)
  } finally {
    bot.quit()
  }
}

async function busy () {
  const counts = { visits: 0, dug: 0 }
  const end = Date.now() + Number(seconds) * 1000
  const player = async (username) => {
    while (Date.now() < end) {
      await visit(username, counts)
      await pause(500)
    }
  }
  await Promise.all(['alice', 'bob', 'carol', 'dave'].map(player))
  if (counts.dug === 0) throw new Error('nobody could dig')
  say(`busy for ${seconds} s: ${counts.visits} visits, ${counts.dug} blocks dug`)
}

async function main () {
  if (run === 'busy') return busy()
  await within('ping', ping())
  const bot = await join()
  if (run === 'first') {
    await chat(bot)
    await walk(bot)
    await dig(bot)
    await pause(1500) // the client sees its hole before the server has heard of it
  } else {
    await look(bot)
  }
  bot.quit()
}

main().then(() => process.exit(0), (error) => {
  console.error(`bot  failed: ${error.message}`)
  process.exit(1)
})
