'use strict'
// usage: node fake-github.js STATE_FILE PORT_FILE
//
// As much of GitHub's interface as a comment takes, on loopback: issue comments, a hundred a page. STATE_FILE is JSON:
// {"comments": [{id, user: {login}, body}], "refuse": {"POST": 403}}; each change is written back, with what was asked.
// Ends with its standard input.
const fs = require('fs')
const http = require('http')

const [stateFile, portFile] = process.argv.slice(2)
const PULL = '/repos/alice/home/issues/7/comments'
const ONE = /^\/repos\/alice\/home\/issues\/comments\/(\d+)$/

function answer(response, status, body) {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(status === 204 ? undefined : JSON.stringify(body))
}

function page(comments, query) {
  const size = Number(query.get('per_page') || 30)
  const number = Number(query.get('page') || 1)
  return comments.slice((number - 1) * size, number * size)
}

function serve(state, request, url, body) {
  const refusal = state.refuse && state.refuse[request.method]
  if (request.headers.authorization !== 'Bearer a-token') return [401, { message: 'Bad credentials' }]
  if (refusal) return [refusal, { message: 'Resource not accessible by integration' }]
  if (url.pathname === PULL && request.method === 'GET') return [200, page(state.comments, url.searchParams)]
  if (url.pathname === PULL && request.method === 'POST') {
    state.comments.push({ id: state.comments.length + 1, user: { login: 'github-actions[bot]' }, body: JSON.parse(body).body })
    return [201, state.comments.at(-1)]
  }
  const id = Number((url.pathname.match(ONE) || [])[1])
  const at = state.comments.findIndex(comment => comment.id === id)
  if (at < 0) return [404, { message: 'Not Found' }]
  if (request.method === 'PATCH') state.comments[at].body = JSON.parse(body).body
  else if (request.method === 'DELETE') state.comments.splice(at, 1)
  else return [405, { message: 'Method Not Allowed' }]
  return request.method === 'DELETE' ? [204] : [200, state.comments[at]]
}

const server = http.createServer((request, response) => {
  const chunks = []
  request.on('data', chunk => chunks.push(chunk))
  request.on('end', () => {
    const state = JSON.parse(fs.readFileSync(stateFile, 'utf8'))
    const result = serve(state, request, new URL(request.url, 'http://localhost'), Buffer.concat(chunks).toString())
    state.asked = [...(state.asked || []), request.method]
    fs.writeFileSync(stateFile, JSON.stringify(state))
    answer(response, ...result)
  })
})
server.listen(0, '127.0.0.1', () => fs.writeFileSync(portFile, String(server.address().port)))
process.stdin.resume().on('end', () => process.exit())
