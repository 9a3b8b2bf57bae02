// Serves the files beside it, and nothing else.
const fs = require('fs'), http = require('http'), path = require('path');
const types = { '.html': 'text/html; charset=utf-8', '.css': 'text/css', '.js': 'text/javascript', '.svg': 'image/svg+xml', '.png': 'image/png', '.jpg': 'image/jpeg' };
const root = path.join(__dirname, 'site');
const server = http.createServer((request, response) => {
  const asked = path.normalize(decodeURI(new URL(request.url, 'http://x').pathname));
  const file = path.join(root, asked.endsWith('/') ? asked + 'index.html' : asked);
  fs.readFile(file, (error, content) => {
    response.writeHead(error ? 404 : 200, { 'content-type': types[path.extname(file)] || 'application/octet-stream' });
    response.end(error ? 'not here\n' : content);
  });
});
server.listen(process.env.PORT, () => console.log('serving', root));
process.on('SIGTERM', () => server.close(() => process.exit(0)));
