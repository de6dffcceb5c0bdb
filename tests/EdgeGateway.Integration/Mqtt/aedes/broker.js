// node broker.js: the MQTT broker Aedes on a free loopback port, all in memory. Ends when its standard input closes.
'use strict';

const { createServer } = require('net');
const broker = require('aedes')();
const server = createServer(broker.handle);

server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`));
process.stdin.on('end', () => process.exit(0)).resume();
